/** What a chat is told of an event: one sentence, the job's title, some of its words, and links. Formats are others' matter. */
import { redact } from "../contracts/redact.ts";
import { EVENT_SENTENCES, type Tone } from "../domain/job/event-sentences.ts";
import { fullName, type Job } from "../domain/job/job.ts";
import type { JobEvent } from "../domain/job/job-events.ts";
import { issueUrl, runsUrl } from "../domain/job/links.ts";
import { REPOSITORY_EVENTS, type RepositoryEvent } from "../domain/repository/events.ts";
import { normalise } from "../text/normalise.ts";
import { cut, head } from "../text/text.ts";

export interface NoticeLink {
  readonly words: string;
  readonly url: string;
}

export interface Notice {
  /** Our words, and a repository's name. */
  readonly sentence: string;
  readonly tone: Tone;
  /** Foreign, on one line; empty: there is none. */
  readonly title: string;
  /** Foreign; empty: there is none. */
  readonly detail: string;
  readonly links: readonly NoticeLink[];
  /** ISO. */
  readonly at: string;
}

/** Longer foreign text is cut before it is read, since no more is ever shown. */
const MAX_FOREIGN = 20_000;
const MAX_TITLE = 200;
/** A chat is no place to read a whole report; the links lead to it. */
const MAX_DETAIL = 1_200;

/** Normalised first: a hidden character would bypass redaction. */
const visible = (text: string): string => redact(normalise(head(text, MAX_FOREIGN)));
const onOneLine = (text: string): string => cut(visible(text).replace(/\s+/g, " ").trim(), MAX_TITLE);
const inLines = (text: string): string =>
  cut(
    visible(text)
      .replace(/\n{3,}/g, "\n\n")
      .trim(),
    MAX_DETAIL,
  );

const WEB = /^https?:$/;

/** Characters that end a link in some chat, which URLs may hold as they are. */
const ENDS_LINK = /[|()<>"'`[\]\\]/g;
const percent = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;

function link(words: string, address: string | null | undefined): readonly NoticeLink[] {
  const url = address !== null && address !== undefined && URL.canParse(address) ? new URL(address) : null;
  if (url === null || !WEB.test(url.protocol)) return [];
  return [{ words, url: url.origin + `${url.pathname}${url.search}${url.hash}`.replace(ENDS_LINK, percent) }];
}

export function jobNotice({ type, timestamp, data }: JobEvent, job: Job, web_url: string): Notice {
  const { tone, says, detail } = EVENT_SENTENCES[type];
  const pull = job.pull_request;
  return {
    sentence: says(fullName(job.repository), data),
    tone,
    title: onOneLine(data.title),
    detail: inLines(detail(data, job) ?? ""),
    links: [
      ...(pull === null ? [] : link(`Pull request #${pull.number}`, pull.url)),
      ...link("Issue", issueUrl(job, web_url)),
      ...(job.work.kind === "actions" ? link("Runs", runsUrl(job, web_url)) : []),
    ],
    at: timestamp,
  };
}

/** What the placeholders of a trigger's words stand for. */
const valuesOf = ({ values }: RepositoryEvent["data"]): readonly string[] =>
  typeof values === "object" ? Object.entries(values ?? {}).map(([name, text]) => `${name}: ${text}`) : [];

export function repositoryNotice({ type, timestamp, data }: RepositoryEvent, web_url: string): Notice {
  const { tone, says } = REPOSITORY_EVENTS[type];
  return {
    sentence: says(data.repository),
    tone,
    title: onOneLine(data.subject),
    detail: inLines([data.text, ...valuesOf(data)].join("\n")),
    links: link("Repository", `${web_url}/${data.repository}`),
    at: timestamp,
  };
}

/** What shows that a webhook works. */
export const testNotice = (at: string): Notice => ({
  sentence: "This is a test: Journeyman tells its news here.",
  tone: "plain",
  title: "",
  detail: "",
  links: [],
  at,
});
