/**
 * Calls of git over HTTP. They go through the same client as all others, and so through its budget, pauses and tokens, but
 * git's half of GitHub takes a token only as a password, and wants to hear from a git.
 */
import type { TransportRequest } from "./transport.ts";
import { USER_AGENT } from "./user-agent.ts";

/** Longer answers are errors: the report on a push is short, and the list of a huge repository's refs is not worth it. */
const MAX_ANSWER_BYTES = 1024 * 1024;
const USER = "x-access-token";

/** Options of Octokit's `request` that make a call one of git. A redirect is not followed: it would lose the body. */
export const GIT_CALL = { git: true, redirect: "manual" } as const;

export const isGitCall = (options: object | undefined): boolean =>
  options !== undefined && "git" in options && options.git === true;

/** GitHub answers 404 unless the name begins like this (github-facts 14.4). */
export const GIT_USER_AGENT = `git/2.0 (${USER_AGENT})`;

/** The request as Octokit signs it, with the token as git's password. */
export function asGit(asked: TransportRequest): TransportRequest {
  const { authorization, ...headers } = asked.headers ?? {};
  const token = String(authorization ?? "").replace(/^(?:token|bearer) /i, "");
  const basic = `Basic ${Buffer.from(`${USER}:${token}`).toString("base64")}`;
  return {
    ...asked,
    most_bytes: MAX_ANSWER_BYTES,
    headers: { ...headers, "user-agent": GIT_USER_AGENT, ...(token === "" ? {} : { authorization: basic }) },
  };
}
