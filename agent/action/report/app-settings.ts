/**
 * What the courier is told by its environment, and whom it may speak to: nobody over a connection that others can read.
 * `http` counts for this machine alone. In a container that is the container itself, so that nothing leaves in the clear;
 * in the sandbox the App is really there.
 */
import { z } from "zod";
import { JOB_ID_PATTERN } from "../../../src/contracts/brief.ts";
import { RUN_ACTION_HEADER, RUN_ACTION_VERSION } from "../../../src/contracts/run-report.ts";
import { Secret } from "../../../src/contracts/secret.ts";

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

export function isTrusted(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname, username, password } = new URL(address);
  if (username !== "" || password !== "") return false;
  return protocol === "https:" || (protocol === "http:" && LOOPBACK.test(hostname));
}

const address = (name: string) =>
  z
    .string({ error: `${name} is not set` })
    .refine(isTrusted, `${name} is not an address that begins with https:// (http:// is for this machine alone)`);

const environmentSchema = z.object({
  JOB_ID: z.string({ error: "JOB_ID is not set" }).regex(JOB_ID_PATTERN, "JOB_ID is not the id of a job"),
  APP_URL: address("APP_URL").transform((text) => text.replace(/\/+$/, "")),
  ACTIONS_ID_TOKEN_REQUEST_URL: address("ACTIONS_ID_TOKEN_REQUEST_URL"),
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: z
    .string({ error: "ACTIONS_ID_TOKEN_REQUEST_TOKEN is not set" })
    .min(1, "ACTIONS_ID_TOKEN_REQUEST_TOKEN is empty")
    .transform((text) => new Secret(text)),
});

export interface UploaderSettings {
  readonly jobId: string;
  /** Also the audience of the identity tokens: what is meant for one App opens no other. */
  readonly appUrl: string;
  /** Where GitHub gives this run's identity tokens, and to whom. */
  readonly identity: { readonly url: string; readonly bearer: Secret };
  /** What the App is told of who speaks, beside the identity. */
  readonly headers: Readonly<Record<string, string>>;
}

export type ReadUploaderSettings =
  | { readonly ok: true; readonly settings: UploaderSettings }
  | { readonly ok: false; readonly reason: string };

/** Whom the run action tells, or why nobody. */
export function appSettingsOf(
  appUrl: string | null,
  jobId: string,
  identity: UploaderSettings["identity"] | null,
): UploaderSettings | string {
  if (appUrl === null) return "the job's brief names no App";
  if (!isTrusted(appUrl)) return "the address of the App is not one that begins with https://";
  if (identity === null) return "this workflow may not say who it is (id-token: write)";
  const headers = { [RUN_ACTION_HEADER]: RUN_ACTION_VERSION };
  return { jobId, appUrl: appUrl.replace(/\/+$/, ""), identity, headers };
}

/** All mistakes at once, in words. */
export function readUploaderSettings(environment: NodeJS.ProcessEnv): ReadUploaderSettings {
  const read = environmentSchema.safeParse(environment);
  if (!read.success) return { ok: false, reason: read.error.issues.map((issue) => issue.message).join("; ") };
  const { JOB_ID, APP_URL, ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer } = read.data;
  return { ok: true, settings: { jobId: JOB_ID, appUrl: APP_URL, identity: { url, bearer }, headers: {} } };
}
