/** Examines the server itself: what keeps it from hearing GitHub, being heard, or keeping its data. */
import { access, constants, statfs } from "node:fs/promises";
import type { ProbotOctokit } from "probot";
import * as z from "zod";
import { eventsLacking, permissionsLacking } from "../contracts/app-permissions.ts";
import type { Finding } from "../domain/repository/findings.ts";
import { counted } from "../text/plural.ts";

export interface ServerParts {
  /** Asks as the App. */
  readonly octokit: InstanceType<typeof ProbotOctokit>;
  readonly app_id: number;
  /** Null: the server has none. */
  readonly public_url: string | null;
  readonly webhook_proxy_url: string | null;
  readonly webhook_path: string;
  readonly data_dir: string;
  readonly now: () => number;
}

const finding = (code: string, problem: string, fix: string, url: string | null = null): Finding => ({
  ...{ code, level: "problem", certainty: "certain", problem, fix, url },
});

/** GitHub refuses what the App signs with a clock that is further off. */
const MAX_SKEW_MS = 30_000;
const MIN_FREE_BYTES = 512 * 1024 * 1024;
const PUBLIC_TIMEOUT_MS = 10_000;
/** Deliveries that are looked at, the newest. */
const DELIVERIES = 30;

const statusOf = (thrown: unknown): number | null =>
  typeof thrown === "object" && thrown !== null && "status" in thrown && typeof thrown.status === "number"
    ? thrown.status
    : null;

const dateOf = (header: unknown): number => (typeof header === "string" ? Date.parse(header) : Number.NaN);

const ownerSchema = z.object({ login: z.string(), type: z.enum(["User", "Organization"]) });

/** Where the owner changes the App; null where GitHub names no person and no organisation. */
function settingsPage({ html_url, slug, owner }: { html_url: string; slug?: string; owner: unknown }): string | null {
  const { data } = ownerSchema.safeParse(owner);
  if (data === undefined || slug === undefined) return null;
  const account = data.type === "User" ? "" : `/organizations/${data.login}`;
  return `${new URL(html_url).origin}${account}/settings/apps/${slug}`;
}

interface AppExamined {
  readonly found: readonly Finding[];
  /** False: GitHub could not be asked as the App, so nothing else about the App can be known. */
  readonly known: boolean;
  readonly page: string | null;
}

async function examineApp({ octokit, app_id, now }: ServerParts): Promise<AppExamined> {
  try {
    const { data, headers } = await octokit.request("GET /app");
    const skew = now() - dateOf(headers.date);
    const found: Finding[] = [];
    if (Math.abs(skew) > MAX_SKEW_MS)
      found.push(
        finding(
          "clock_wrong",
          `The clock is ${counted(Math.round(Math.abs(skew) / 1_000), "second")} ${skew > 0 ? "ahead of" : "behind"} GitHub's.`,
          "Set the machine's clock, best by NTP.",
        ),
      );
    const lacking = permissionsLacking(Object.fromEntries(Object.entries(data?.permissions ?? {})));
    const unheard = eventsLacking(data?.events ?? []);
    const page = data === null ? null : settingsPage(data);
    if (lacking.length > 0)
      found.push(
        finding(
          "permissions_missing",
          `The App does not ask for: ${lacking.join(", ")}.`,
          "Add the permissions on the App's settings page, as app.yml has them.",
          page,
        ),
      );
    if (unheard.length > 0)
      found.push(
        finding(
          "events_missing",
          `The App does not subscribe to: ${unheard.join(", ")}.`,
          "Add the events on the App's settings page, as app.yml has them.",
          page,
        ),
      );
    return { found, known: true, page };
  } catch (thrown) {
    const status = statusOf(thrown);
    const refused = status === 401 || status === 404;
    const answer = refused
      ? finding(
          "credentials_refused",
          "GitHub rejects the App's credentials.",
          `Check that PRIVATE_KEY belongs to APP_ID ${app_id}, and that the clock is right.`,
        )
      : finding(
          "github_unreachable",
          `GitHub cannot be asked (${status ?? "no connection"}).`,
          "Check the way out to the internet, GHE_HOST and the proxy.",
        );
    return { found: [answer], known: false, page: null };
  }
}

async function examineWebhook(parts: ServerParts, page: string | null): Promise<Finding[]> {
  const { octokit, public_url, webhook_proxy_url, webhook_path } = parts;
  const wanted = webhook_proxy_url ?? (public_url === null ? null : `${public_url}${webhook_path}`);
  const { data } = await octokit.request("GET /app/hook/config");
  const fix = `Set the webhook URL on the App's settings page to ${wanted ?? "the server's public address with /api/github/webhooks"}.`;
  if (!data.url)
    return [finding("webhook_missing", "The App has no webhook address, so GitHub tells nothing.", fix, page)];
  if (wanted !== null && data.url !== wanted)
    return [finding("webhook_elsewhere", `GitHub sends webhooks to ${data.url}, not to this server.`, fix, page)];
  const deliveries = await octokit.request("GET /app/hook/deliveries", { per_page: DELIVERIES });
  const [newest] = deliveries.data;
  if (newest === undefined || (newest.status_code >= 200 && newest.status_code < 300)) return [];
  const what = newest.status_code === 0 ? "could not be sent" : `was answered ${newest.status_code}`;
  return [
    finding(
      "webhook_unreached",
      `The newest webhook (${newest.event}) ${what}.`,
      `See that ${data.url} is reached from the internet, and that WEBHOOK_SECRET is the App's.`,
      page,
    ),
  ];
}

async function examineAddress({ public_url }: ServerParts): Promise<Finding[]> {
  const fix = "Start the server, and set PUBLIC_URL to the address at which the internet reaches it.";
  if (public_url === null)
    return [
      {
        ...finding(
          "public_url_missing",
          "The server knows no address of its own, so runs show no live log and nobody can sign in.",
          fix,
        ),
        level: "advice",
      },
    ];
  try {
    const answer = await fetch(`${public_url}/ping`, {
      signal: AbortSignal.timeout(PUBLIC_TIMEOUT_MS),
      redirect: "manual",
    });
    await answer.body?.cancel();
    return answer.status === 200
      ? []
      : [finding("public_url_wrong", `${public_url}/ping answers ${answer.status}.`, fix, `${public_url}/ping`)];
  } catch {
    return [
      finding("public_url_unreached", `${public_url} cannot be reached from this machine.`, fix, `${public_url}/ping`),
    ];
  }
}

async function examineDisk({ data_dir }: ServerParts): Promise<Finding[]> {
  try {
    await access(data_dir, constants.W_OK);
    const { bavail, bsize } = await statfs(data_dir);
    const free = bavail * bsize;
    return free >= MIN_FREE_BYTES
      ? []
      : [
          finding(
            "disk_full",
            `The disk of DATA_DIR has ${Math.round(free / 1024 / 1024)} MB left.`,
            "Make room, or move DATA_DIR to a larger disk.",
          ),
        ];
  } catch {
    return [
      finding(
        "disk_unwritable",
        `DATA_DIR (${data_dir}) is not there, or cannot be written to.`,
        "Create the folder, and give it to the user that runs the server.",
      ),
    ];
  }
}

/** The most pressing first. Empty: nothing is wrong. */
export async function examineServer(parts: ServerParts): Promise<readonly Finding[]> {
  const app = await examineApp(parts);
  const hook = app.known ? await examineWebhook(parts, app.page) : [];
  return [...app.found, ...hook, ...(await examineAddress(parts)), ...(await examineDisk(parts))];
}
