/** Reads which of the App's permissions and events the owner of an installation has not accepted. */
import { eventsLacking, permissionsLacking } from "../../contracts/app-permissions.ts";
import type { MissingConsent } from "../../domain/repository/findings.ts";
import type { OctokitSource } from "../client/octokit.ts";

export async function readMissingConsent(
  source: Pick<OctokitSource, "app">,
  installation_id: number,
): Promise<MissingConsent> {
  const octokit = await source.app();
  const { data } = await octokit.request("GET /app/installations/{installation_id}", { installation_id });
  const granted = Object.fromEntries(Object.entries(data.permissions));
  return { permissions: permissionsLacking(granted), events: eventsLacking(data.events), url: data.html_url };
}
