/** Translates events that a repository's triggers may start jobs for: whether one does is said by its files. */
import * as z from "zod";
import type { FailedPull, TranslatedEvent } from "../../domain/job/github-event.ts";
import type { CheckNews, TriggerNews } from "../../domain/repository/trigger-news.ts";
import { head } from "../../text/text.ts";
import {
  commandAuthor,
  ignored,
  isSelf,
  type Listener,
  listener,
  repositoryOf,
  source,
  translated,
} from "./event-listener.ts";
import { ISSUE_BODY_LIMIT, issueOfPayload, issueSchema } from "./issue.ts";

const MAX_LABELS = 20;
const MAX_WORD = 300;

type Source = Parameters<typeof repositoryOf>[0];

export const triggerNews = (payload: Source, news: TriggerNews): TranslatedEvent =>
  translated({ type: "trigger-news", repository: repositoryOf(payload), news });

const issuePayload = z.object({
  ...source,
  issue: issueSchema.extend({
    user: z.object({ login: z.string() }).nullish(),
    labels: z.array(z.object({ name: z.string() })).nullish(),
  }),
  label: z.object({ name: z.string() }).nullish(),
  sender: commandAuthor,
});

const ofIssue = ({ issue, sender }: z.output<typeof issuePayload>) => ({
  issue: issueOfPayload(issue),
  labels: (issue.labels ?? []).slice(0, MAX_LABELS).map(({ name }) => head(name, MAX_WORD)),
  opened_by: issue.user?.login ?? sender.login,
  author: sender.login,
  author_id: sender.id,
});

/** The App's own issues ask for nothing. */
export const issueOpened = listener(issuePayload, (payload, self) =>
  isSelf(payload.sender, self)
    ? ignored("our own issue")
    : triggerNews(payload, { kind: "issue_opened", ...ofIssue(payload) }),
);

/** Any other label than ours. */
export const otherLabel: Listener = listener(issuePayload, (payload, self) => {
  if (isSelf(payload.sender, self)) return ignored("our own label");
  if (payload.issue.pull_request != null) return ignored("the label is on a pull request");
  return triggerNews(payload, {
    kind: "issue_labelled",
    label: head(payload.label?.name ?? "", MAX_WORD),
    ...ofIssue(payload),
  });
});

const FAILED: ReadonlySet<string | null | undefined> = new Set(["failure", "startup_failure", "timed_out", "error"]);

/** What is told of a pull request whose check has ended so. */
export const failedOf = (
  conclusion: string | null | undefined,
  sha: string | null | undefined,
  actor: FailedPull["actor"],
): { readonly failed?: FailedPull } => (sha && FAILED.has(conclusion) ? { failed: { sha, actor } } : {});

/** A check on a branch that is no job's. */
export function checkNews(
  payload: Source & { readonly repository: { readonly default_branch?: string | undefined } },
  check: Omit<CheckNews, "branch"> & { readonly branch: string | null | undefined },
  conclusion: string | null | undefined,
): TranslatedEvent {
  const { branch, name, ...others } = check;
  if (!branch || branch !== payload.repository.default_branch)
    return ignored("it does not concern a job branch or the default branch");
  const news = { ...others, name: head(name, MAX_WORD), branch };
  if (conclusion === "success") return triggerNews(payload, { kind: "check_passed", check: news });
  return FAILED.has(conclusion)
    ? triggerNews(payload, { kind: "check_failed", check: news })
    : ignored("the check of the default branch has neither failed nor passed");
}

const releasePayload = z.object({
  ...source,
  release: z.object({
    id: z.number(),
    tag_name: z.string(),
    name: z.string().nullish(),
    body: z.string().nullish(),
    html_url: z.string().nullish(),
  }),
});

export const released = listener(releasePayload, (payload) => {
  const { id, tag_name, name, body, html_url } = payload.release;
  return triggerNews(payload, {
    kind: "release_published",
    release: {
      id,
      tag: head(tag_name, MAX_WORD),
      name: head(name ?? "", MAX_WORD),
      body: head(body ?? "", ISSUE_BODY_LIMIT),
      url: html_url ?? null,
    },
  });
});
