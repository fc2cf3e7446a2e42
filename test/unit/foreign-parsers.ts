/**
 * Every parser of bytes that others wrote, with its bounds: the list on docs/security.md is this one, and each row is held
 * to a time that grows with the length alone (`foreign-parsers.test.ts`). Whoever adds a parser adds its row.
 */

import { MAX_AUTOMATION_TASK } from "../../src/contracts/automation.ts";
import { isCachePath } from "../../src/contracts/cache.ts";
import { readConflicts } from "../../src/contracts/conflicts.ts";
import { isImageName } from "../../src/contracts/container.ts";
import { egressHost } from "../../src/contracts/egress.ts";
import { firstJobTicked } from "../../src/contracts/first-task.ts";
import { imageType, MAX_IMAGE_BYTES } from "../../src/contracts/images.ts";
import { parseLog } from "../../src/contracts/log-line.ts";
import { findModel, looksNewer } from "../../src/contracts/models.ts";
import { providerWords } from "../../src/contracts/provider-words.ts";
import { isPublic } from "../../src/contracts/public-address.ts";
import { redact, redactor } from "../../src/contracts/redact.ts";
import { parseResult } from "../../src/contracts/result.ts";
import { MAX_FOREIGN_TEXT, sanitize } from "../../src/contracts/sanitize.ts";
import { fillTemplate } from "../../src/contracts/trigger-template.ts";
import { reportedResult } from "../../src/domain/job/reported-result.ts";
import { titleOf } from "../../src/domain/job/title.ts";
import { attachmentNameProblem, pathProblem } from "../../src/domain/market/submitted-path.ts";
import { signatureOf } from "../../src/github/effects/failure-signature.ts";
import { findCommand, firstWord } from "../../src/github/events/find-command.ts";
import { readSlashCommand } from "../../src/github/events/slash-command.ts";
import { translateWebhook } from "../../src/github/events/translate.ts";
import { MAX_REPORT_BYTES, readReport } from "../../src/github/git/receive-pack.ts";
import {
  code,
  commitLine,
  cutBody,
  escapeMarkdown,
  escapeMarkdownBody,
  fenced,
  oneLine,
  quoted,
  titleLine,
} from "../../src/github/render/plain.ts";
import {
  MAX_AUTOMATION_BYTES,
  parseCrons,
  parseTriggers,
} from "../../src/github/repository-settings/automation-files.ts";
import { MAX_SETTINGS_BYTES, parseSettings } from "../../src/github/repository-settings/settings-file.ts";
import { workflowFactsOf } from "../../src/github/repository-settings/workflow-file.ts";
import {
  MAX_BODY_BYTES,
  MAX_DELIVERY_BYTES,
  MAX_RESULT_BYTES,
  MAX_TRIGGER_BYTES,
} from "../../src/http/routing/limits.ts";
import { readHandIn } from "../../src/http/server/handed-in-result.ts";
import { appFormOf, appRequestOf } from "../../src/http/setup/app-request.ts";
import { valuesOf } from "../../src/http/triggers/values.ts";
import { code as codeForModel, prose } from "../../src/llm/foreign-text.ts";
import { attachmentsIn, imageAddressesIn } from "../../src/text/attachments.ts";
import { withoutSkips } from "../../src/text/commit-words.ts";
import { globMistake, MAX_GLOB_LENGTH } from "../../src/text/glob.ts";
import { isJsonWithinBounds } from "../../src/text/json-bounds.ts";
import { withoutTitles } from "../../src/text/link-titles.ts";
import { normalise } from "../../src/text/normalise.ts";
import { linesBefore, suggestionsIn } from "../../src/text/suggestions.ts";
import { withoutHidingAttributes } from "../../src/text/tags.ts";
import { cut, head, headBytes, tail } from "../../src/text/text.ts";
import { chatBody } from "../../src/webhooks/chat-message.ts";
import { retryAfterInBody } from "../../src/webhooks/retry-after.ts";

export interface ForeignParser {
  readonly name: string;
  /** Whose bytes these are. */
  readonly from: string;
  /** Characters that it is ever given, or reads of what it is given. */
  readonly size: number;
  /** What bounds the nesting that it follows. */
  readonly depth: string;
  /** What bounds its time beside the length. */
  readonly time: string;
  readonly run: (text: string) => unknown;
}

/** GitHub's limit for an issue, a comment and a pull request's body. */
const COMMENT = 65_536;
/** What GraphQL answers of a file: a result, a log. */
const BLOB = 512 * 1024;

const WEB = new URL("https://github.com");
const NONE = "follows none";
const ONE_PASS = "one pass";
const LITERAL = redactor(["s3cret-value", "x".repeat(100)]);

const text = (name: string, run: (text: string) => unknown, size = COMMENT): ForeignParser => ({
  name,
  from: "issues, comments, names, the agent's words",
  size,
  depth: NONE,
  time: ONE_PASS,
  run,
});

const CHATS = ["slack", "discord", "teams"] as const;

const commentOf = (body: string) => ({
  ...{ action: "created", installation: { id: 1 }, sender: { id: 1, login: "octocat" } },
  repository: { id: 2, name: "hello", owner: { login: "octocat" } },
  ...{ issue: { number: 7, title: body, body }, comment: { id: 3, body, user: { id: 1, login: "octocat" } } },
});

const handedIn = (text: string) => {
  const result = { version: 1, outcome: "done", title: text, body: text, model: "m" };
  const log = [{ seq: 1, at: "2030-01-31T12:00:00Z", level: "info", text }];
  const parts = [Buffer.from(JSON.stringify({ result, log, changed_files: [] }))];
  return { kind: "hand-in", parts, job: { id: "ab12cd34", title: "A title" } } as const;
};

export const FOREIGN_PARSERS: readonly ForeignParser[] = [
  {
    name: "commands in comments",
    from: "whoever comments",
    size: COMMENT,
    depth: "blocks of one level; what is in a quote or a list is passed over",
    time: "one pass over the first 12,000 characters, at most 200 beginnings of tags in a paragraph",
    run: readSlashCommand,
  },
  {
    name: "payloads of deliveries (JSON)",
    from: "GitHub, with anybody's words in them",
    size: MAX_DELIVERY_BYTES,
    depth: "what GitHub nests; what is read has seven levels",
    time: "linear; from 256 KB on a thread of its own",
    run: (words) => translateWebhook("issue_comment", commentOf(words), { appId: 1, slug: "journeyman" }),
  },
  {
    ...text("the form of the set-up page", (words) =>
      appRequestOf(appFormOf({ address: `https://${words}`, organization: words, name: words, smee: words }), {
        public_url: null,
        webhook_proxy_url: null,
        enterprise: false,
      }),
    ),
    from: "whoever has the token of the start",
    size: 4_096,
  },
  { ...text("the place of a command", findCommand), from: "whoever comments" },
  { ...text("the first word of a comment", firstWord), from: "whoever comments" },
  { ...text("the title of a task", titleOf), from: "whoever may command" },
  {
    name: ".github/journeyman.yml (YAML)",
    from: "whoever may push",
    size: MAX_SETTINGS_BYTES,
    depth: "16 levels, 64 columns, 20 anchors and aliases",
    time: "4,000 pieces of the lexer before the parser sees it",
    run: parseSettings,
  },
  {
    name: "config/CRONS.json and config/TRIGGERS.json (JSON)",
    from: "whoever may push",
    size: MAX_AUTOMATION_BYTES,
    depth: "64 levels",
    time: "linear",
    run: (text) => [parseCrons({ text, isTruncated: false }), parseTriggers({ text, isTruncated: false })],
  },
  {
    ...text(
      "placeholders in the tasks of triggers",
      (task) => fillTemplate(task, { body: { a: task } }, ["body"]),
      MAX_AUTOMATION_TASK,
    ),
    from: "whoever may push",
  },
  {
    name: "calls of triggers (JSON, forms, text)",
    from: "whoever knows a trigger's secret",
    size: MAX_TRIGGER_BYTES,
    depth: "64 levels",
    time: "5,000 values or fields before a parser sees them",
    run: (body) =>
      ["application/json", "application/x-www-form-urlencoded", "text/plain"].map((type) =>
        valuesOf({ headers: { "content-type": type }, url: "/", body: Buffer.from(body) }),
      ),
  },
  {
    name: "files of .github/workflows (YAML)",
    from: "whoever may push",
    size: MAX_SETTINGS_BYTES,
    depth: "16 levels, 64 columns, 20 anchors and aliases",
    time: "4,000 pieces of the lexer before the parser sees it",
    run: (text) => workflowFactsOf({ text, isTruncated: false }),
  },
  {
    ...text("reports on pushes (git's packets)", (words) => [
      readReport(Buffer.from(words), "refs/heads/job/abcd1234"),
      readReport(Buffer.from(`fff0\x02${words}`), "refs/heads/job/abcd1234"),
    ]),
    from: "GitHub's git, with words of its rules in them",
    size: MAX_REPORT_BYTES,
  },
  {
    name: "globs of the settings",
    from: "whoever may push",
    size: MAX_GLOB_LENGTH,
    depth: "braces that stand for 32 globs of 1,000 characters together, 300 in a list",
    time: "length of glob times length of path; 2,000,000 comparisons for one verdict, 200,000 for all triggers of one event",
    run: globMistake,
  },
  {
    ...text("hosts of the settings", (host) => egressHost.safeParse(host)),
    from: "whoever may push",
    size: 253,
  },
  { ...text("names of images in the settings", isImageName), from: "whoever may push", size: 500 },
  { ...text("folders of the cache in the settings", isCachePath), from: "whoever may push", size: 200 },
  {
    name: "bodies of REST calls (JSON)",
    from: "whoever has a key",
    size: MAX_BODY_BYTES,
    depth: "64 levels",
    time: "20,000 values before the parser sees it",
    run: (body) => isJsonWithinBounds(Buffer.from(body)),
  },
  { ...text("addresses of attachments in texts", (words) => attachmentsIn(words, WEB)), from: "whoever comments" },
  {
    ...text("addresses of images in what GitHub renders (HTML)", (html) => imageAddressesIn(html, WEB), 1024 * 1024),
    from: "GitHub, with anybody's words in it",
  },
  {
    ...text("the type of an image", (bytes) => imageType(Buffer.from(bytes)), MAX_IMAGE_BYTES),
    from: "whoever attaches one",
    time: "the first 12 bytes",
  },
  { ...text("paths of a worker's files", pathProblem), from: "a worker", size: MAX_BODY_BYTES },
  { ...text("names of attachments", attachmentNameProblem), from: "whoever has a key", size: MAX_BODY_BYTES },
  {
    ...text("names of models", (name) => [findModel(name), looksNewer(name)]),
    from: "whoever has a key",
    size: MAX_BODY_BYTES,
  },
  {
    name: "answers of receivers that are busy (JSON)",
    from: "whoever receives webhooks",
    size: 4_096,
    depth: "one level is read",
    time: ONE_PASS,
    run: retryAfterInBody,
  },
  text("messages to chats", (words) =>
    CHATS.map((format) =>
      chatBody(format, { sentence: "It failed.", tone: "bad", title: words, detail: words, links: [], at: "" }),
    ),
  ),
  { ...text("addresses that webhooks lead to", isPublic), from: "whoever has a key, and name servers", size: 253 },
  {
    name: "results that runs hand in (JSON)",
    from: "the agent",
    size: MAX_RESULT_BYTES,
    depth: "64 levels",
    time: "20,000 values before the parser sees it; from 256 KB on a thread of its own",
    run: (words) => readHandIn(handedIn(words)),
  },
  {
    name: "results of runs (JSON)",
    from: "the agent",
    size: BLOB,
    depth: "64 levels",
    time: "20,000 values before the parser sees it",
    run: parseResult,
  },
  {
    name: "conflicts of a merge (JSON)",
    from: "the repository, through the run action",
    size: BLOB,
    depth: "64 levels",
    time: "20,000 values before the parser sees it",
    run: readConflicts,
  },
  {
    name: "logs of runs (JSON lines)",
    from: "the agent",
    size: BLOB,
    depth: "64 levels in a line",
    time: "20,000 values in a line",
    run: parseLog,
  },
  {
    ...text("a provider's error", providerWords, BLOB),
    from: "the model's provider",
    depth: "3 answers in one another, of 64 levels",
    time: "20,000 characters of it, whose JSON is read",
  },
  text("normalisation", normalise, BLOB),
  text("redaction of shapes", redact, BLOB),
  text("signatures of failures (logs)", (says) => signatureOf([{ name: "ci", says }])),
  text("redaction of values", LITERAL, BLOB),
  {
    ...text("what a model is shown (HTML, Markdown)", sanitize),
    depth: "10 rounds, then its marks are parted",
    size: MAX_FOREIGN_TEXT,
  },
  text("prose for the judge", (words) => prose("task", words)),
  text("code for the judge", (words) => codeForModel("change", words), BLOB),
  text("words on one line", oneLine, BLOB),
  text("a commit's line", commitLine, BLOB),
  text("a title", titleLine, BLOB),
  text("Markdown that is shown", escapeMarkdown, BLOB),
  text("Markdown that becomes a commit message", escapeMarkdownBody, BLOB),
  text("a quotation", quoted, BLOB),
  text("a code block", fenced, BLOB),
  text("what a commit message may not say", withoutSkips, BLOB),
  text("the box of the set-up pull request", firstJobTicked),
  text("suggestions in review comments", (words) => suggestionsIn(words, 10)),
  text("the lines that a suggestion replaces", (words) => linesBefore(words, 10)),
  text("titles of links", withoutTitles, BLOB),
  text("attributes that hide", withoutHidingAttributes, BLOB),
  text("code in a line", code, BLOB),
  text("a body at GitHub's limit", cutBody, BLOB),
  text("cuts", (words) => [head(words, 60_000), tail(words, 60_000), cut(words, 200), headBytes(words, 60_000)], BLOB),
  text("the work that a result tells of", (body) =>
    reportedResult(
      {
        ...{
          version: 1,
          outcome: "done",
          permanent_error: null,
          image_missing: false,
          set_up_failed: false,
          title: body,
          conflicts: [],
          body,
          reason: body,
          model: "m",
          put_back: [body],
          notes: [body],
          replies: [{ id: 1, body, done: true }],
          cost_cents: null,
        },
        usage: { turns: 1, input_tokens: 1, output_tokens: 1, cache_read_tokens: 1, cache_write_tokens: 1 },
      },
      "title",
    ),
  ),
];
