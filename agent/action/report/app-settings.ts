/**
 * Settings of the log uploader, and the addresses that it may send to: never over plain HTTP, except to this machine.
 * In a container that is the container itself, so nothing leaves unencrypted; in the sandbox the App really runs there.
 */
import * as z from "zod";
import { JOB_ID_PATTERN } from "../../../src/contracts/brief.ts";
import { RUN_ACTION_HEADER, RUN_ACTION_VERSION } from "../../../src/contracts/run-report.ts";
import { Secret } from "../../../src/contracts/secret.ts";
import { isTrusted } from "../../trusted-address.ts";
import type { TokenIssuer } from "./identity-token.ts";

const address = (name: string) =>
  z
    .string({ error: `${name} is not set` })
    .refine(isTrusted, `${name} must begin with https:// (http:// works for this machine only)`);

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
  /** Also the audience of the identity tokens: a token for one App is useless to another. */
  readonly appUrl: string;
  readonly identity: TokenIssuer;
  /** Added to every request to the App. */
  readonly headers: Readonly<Record<string, string>>;
}

export type ReadUploaderSettings =
  | { readonly ok: true; readonly settings: UploaderSettings }
  | { readonly ok: false; readonly reason: string };

/** The run action's settings, or why it reports to nobody. */
export function appSettingsOf(
  appUrl: string | null,
  jobId: string,
  identity: TokenIssuer | null,
): UploaderSettings | string {
  if (appUrl === null) return "the job's brief names no App";
  if (!isTrusted(appUrl)) return "the App's address does not begin with https://";
  if (identity === null) return "this workflow lacks the permission `id-token: write`";
  const headers = { [RUN_ACTION_HEADER]: RUN_ACTION_VERSION };
  return { jobId, appUrl: appUrl.replace(/\/+$/, ""), identity, headers };
}

/** Returns all mistakes at once, in words. */
export function readUploaderSettings(environment: NodeJS.ProcessEnv): ReadUploaderSettings {
  const read = environmentSchema.safeParse(environment);
  if (!read.success) return { ok: false, reason: read.error.issues.map((issue) => issue.message).join("; ") };
  const { JOB_ID, APP_URL, ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer } = read.data;
  return { ok: true, settings: { jobId: JOB_ID, appUrl: APP_URL, identity: { url, bearer }, headers: {} } };
}
