/**
 * Pushes objects and moves one ref, in one HTTP call. Whether GitHub takes a push without being asked for its refs before
 * is not documented, so a refusal of the call itself is followed by one that asks, and then by none at all: the caller
 * has REST. What a host wanted is remembered.
 */
import { createHmac } from "node:crypto";
import type { Secret } from "../../contracts/secret.ts";
import { head } from "../../text/text.ts";
import { attempted, type CallOutcome, type GitHubError, statusOf } from "../client/errors.ts";
import { GIT_CALL } from "../client/git-calls.ts";
import type { Caller } from "../client/octokit.ts";
import type { GitObject } from "./objects.ts";
import { packOf } from "./pack.ts";
import { ADVERTISEMENT_TYPE, REQUEST_TYPE, RESULT_TYPE, type RefMove, readReport, requestOf } from "./receive-pack.ts";
import { KnownTrees } from "./trees.ts";

/** How the host takes pushes. */
type PushWay = "at once" | "after its refs";

/** A host that takes no pushes, as far as we know, is tried again after this. */
const NOT_FOR_MS = 10 * 60_000;

export type PushOutcome =
  | { readonly ended: "pushed" }
  /** The ref, or what it stands on, is not what we took it for. */
  | { readonly ended: "moved" }
  /** A rule, a hook or a limit forbids it; in GitHub's own words. */
  | { readonly ended: "forbidden"; readonly words: string }
  /** GitHub's limits, or an error in which nothing was sent. */
  | { readonly ended: "later"; readonly githubError: GitHubError }
  /** No usable answer: the push may have been taken. `host`: this is the host's way, and not a mishap. */
  | { readonly ended: "unknown"; readonly host: boolean };

export interface Push extends RefMove {
  readonly objects: readonly GitObject[];
  readonly owner: string;
  readonly name: string;
}

export interface GitPushes {
  readonly trees: KnownTrees;
  /** Whom GitHub shows as the author of the App's commits; null: not known yet. */
  readonly author: () => { readonly name: string; readonly email: string } | null;
  /** A code for these words that nobody makes without the App's key; null without one. */
  readonly seal: (words: string) => string | null;
  readonly learnAuthor: (bot: { readonly login: string; readonly id: number | null }) => void;
  /** Whether pushing is worth a try on this host now. */
  readonly works: () => boolean;
  readonly push: (octokit: Caller, push: Push) => Promise<PushOutcome>;
  /** REST has done what a push could not: for a while, pushes are not tried. */
  readonly giveUp: () => void;
}

const HEADS = "refs/heads/";

/** Rules and limits that a repetition would meet again (github-facts 14.3). */
const FORBIDDEN =
  /\bGH\d{3}\b|hook|rule|protected|prohibited|restricted|denied|refusing|not allowed|secret|exceeds|too large|signature|signed/i;

function outcomeOf(bytes: Uint8Array, ref: string): PushOutcome {
  const report = readReport(bytes, ref);
  if (report === null) return { ended: "unknown", host: true };
  if (report.refused === null) return { ended: "pushed" };
  const words = [...report.remote, report.refused].join("\n");
  // A job's id may spell any word.
  return FORBIDDEN.test(words.replaceAll(ref.slice(HEADS.length), ""))
    ? { ended: "forbidden", words }
    : { ended: "moved" };
}

/** `refused`: the call itself, before anybody looked at what it carries. */
type Answer = PushOutcome | { readonly ended: "refused" };

function answerOf(answer: CallOutcome<{ readonly status: number; readonly data: unknown }>, ref: string): Answer {
  if (answer.ok) {
    const { status, data } = answer.value;
    return status === 200 && data instanceof ArrayBuffer ? outcomeOf(new Uint8Array(data), ref) : { ended: "refused" };
  }
  const { githubError, thrown } = answer;
  const status = statusOf(thrown);
  // A limit names a time to come back; so does our own budget, which sends nothing.
  if (githubError.kind === "later" && (status === null || githubError.after_ms !== undefined))
    return { ended: "later", githubError };
  return status !== null && status < 500 ? { ended: "refused" } : { ended: "unknown", host: false };
}

const SEAL_LENGTH = 32;

/**
 * `web_url`: where the host serves git, such as `https://github.com`. `key`: a secret that stays the same; null where there
 * is none.
 */
export function createGitPushes(web_url: string, now: () => number, key: Secret | null = null): GitPushes {
  let way: PushWay = "at once";
  let not_until = 0;
  let author: ReturnType<GitPushes["author"]> = null;
  const mail_host = `users.noreply.${new URL(web_url).hostname}`;

  const urlOf = ({ owner, name }: Push): string =>
    `${web_url}/${encodeURIComponent(owner)}/${encodeURIComponent(name)}.git`;

  const send = async (octokit: Caller, push: Push, body: Uint8Array): Promise<Answer> => {
    const headers = { "content-type": REQUEST_TYPE, accept: RESULT_TYPE };
    const url = `${urlOf(push)}/git-receive-pack`;
    const answer = await attempted(now, () =>
      octokit.request({ method: "POST", url, headers, data: body, request: GIT_CALL }),
    );
    return answerOf(answer, push.ref);
  };

  const asksRefs = async (octokit: Caller, push: Push): Promise<boolean> => {
    const url = `${urlOf(push)}/info/refs?service=git-receive-pack`;
    const answer = await attempted(now, () => octokit.request({ method: "GET", url, request: GIT_CALL }));
    return answer.ok && answer.value.headers["content-type"] === ADVERTISEMENT_TYPE;
  };

  const afterRefs = async (octokit: Caller, push: Push, body: Uint8Array): Promise<Answer> =>
    (await asksRefs(octokit, push)) ? send(octokit, push, body) : { ended: "refused" };

  return {
    trees: new KnownTrees(),
    author: () => author,
    learnAuthor({ login, id }) {
      author = { name: login, email: `${id === null ? "" : `${id}+`}${login}@${mail_host}` };
    },
    seal: (words) => key && head(createHmac("sha256", key.reveal()).update(words).digest("hex"), SEAL_LENGTH),
    works: () => now() >= not_until,
    giveUp() {
      not_until = now() + NOT_FOR_MS;
    },
    async push(octokit, push) {
      const body = requestOf(push, await packOf(push.objects));
      const first = way === "at once" ? await send(octokit, push, body) : await afterRefs(octokit, push, body);
      if (first.ended !== "refused") return first;
      if (way === "after its refs") return { ended: "unknown", host: true };
      const second = await afterRefs(octokit, push, body);
      if (second.ended === "refused") return { ended: "unknown", host: true };
      if (second.ended === "pushed") way = "after its refs";
      return second;
    },
  };
}
