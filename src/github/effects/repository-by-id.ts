/**
 * Finds a repository by GitHub's number. GitHub's documentation lacks these two addresses; its redirects for renamed
 * repositories lead to them, and clients of its API such as go-github use them.
 */
import * as z from "zod";
import type { IdentifiedRepository } from "../../domain/repository/repository.ts";
import type { OctokitSource } from "../client/octokit.ts";

const appToken = z.object({ token: z.string() });
const installation = z.object({ id: z.number() });
const repository = z.object({ id: z.number(), name: z.string(), owner: z.object({ login: z.string() }) });

/** Throws GitHub's 404 where there is none, or the App is not installed. */
export async function findRepositoryById(
  source: Pick<OctokitSource, "app" | "installation">,
  id: number,
): Promise<IdentifiedRepository> {
  const app = await source.app();
  const { token } = appToken.parse(await app.auth({ type: "app" }));
  const installed = await app.request("GET /repositories/{id}/installation", {
    id,
    headers: { authorization: `Bearer ${token}` },
    // Octokit's own sign-in knows the documented addresses alone, and takes this one for an installation's.
    request: { hook: undefined },
  });
  const installation_id = installation.parse(installed.data).id;
  const octokit = await source.installation(installation_id);
  const found = repository.parse((await octokit.request("GET /repositories/{id}", { id })).data);
  return { id: found.id, owner: found.owner.login, name: found.name, installation_id };
}
