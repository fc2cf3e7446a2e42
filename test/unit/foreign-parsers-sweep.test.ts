/**
 * The table of parsers is complete: every place that parses text is in it, or listed here with the reason why its bytes
 * are not foreign, or are bounded elsewhere.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

/** What reads a text by rules of its own: JSON, YAML, Markdown, and patterns that are made when the program runs. */
const READERS = /\bJSON\.parse\(|\bparseDocument\(|\bnew Lexer\(|\bfromMarkdown\(|\bnew RegExp\(/;

const OURS = "what we have written to our own disk";
const CONSTANT = "a pattern that is made of constants";
const OF_A_RUN = "in the run itself, which it alone would hold up; GitHub ends it";
const SEALED = "what we have sealed ourselves";

/** Rows of the table are named as they are there. */
const PLACES: Readonly<Record<string, string>> = {
  "src/text/json-bounds.ts": "row: bodies of REST calls (JSON)",
  "src/http/routing/body.ts": "row: bodies of REST calls (JSON)",
  "src/http/server/handed-in-result.ts": "row: results that runs hand in (JSON)",
  "src/http/triggers/values.ts": "row: calls of triggers (JSON, forms, text)",
  "src/http/server/large-body.ts": "row: payloads of deliveries (JSON)",
  "src/http/server/webhook-receiver.ts": "row: payloads of deliveries (JSON)",
  "src/github/repository-settings/settings-file.ts": "row: .github/journeyman.yml (YAML)",
  "src/github/repository-settings/workflow-file.ts": "row: files of .github/workflows (YAML)",
  "src/text/yaml-bounds.ts": "row: .github/journeyman.yml (YAML)",
  "src/contracts/redact.ts": "row: redaction of values",
  "src/text/attachments.ts": "row: addresses of attachments in texts",
  "src/text/finder.ts": "row: what a model is shown (HTML, Markdown)",
  "src/contracts/egress.ts": "row: hosts of the settings",
  "src/github/render/escape-markdown.ts": "row: Markdown that is shown",
  "src/github/events/inline-spans.ts": "row: commands in comments",
  "src/github/events/paragraphs.ts": "row: commands in comments",
  "src/github/events/flags.ts": "row: commands in comments",
  "src/llm/foreign-text.ts": "row: prose for the judge",
  "src/webhooks/retry-after.ts": "row: answers of receivers that are busy (JSON)",

  "src/contracts/model-list.ts": "the provider's list of models, at most so many bytes of it",
  "src/github/client/transport.ts": "GitHub's answers, which name few things in one page",
  "src/actions-mode/state.ts": "one job of Actions mode, from a ref, read by a process of its own",
  "src/main/keys-command.ts": "the answer of one's own server, at one's own terminal",
  "src/domain/job/attachments.ts": OURS,
  "src/http/admin/new-key.ts": CONSTANT,
  "src/http/pages/sealed-cookie.ts": SEALED,
  "src/main/app-file.ts": OURS,
  "src/http/dialects/market/work.ts": SEALED,
  "src/store/lowdb/idempotency-lines.ts": OURS,
  "src/store/lowdb/formats.ts": OURS,
  "src/store/lowdb/job-file.ts": OURS,
  "src/store/lowdb/log-place.ts": OURS,
  "src/store/lowdb/outgoing-lines.ts": OURS,

  "agent/gateway/model-request.ts": "bounded as bodies of REST calls are, and a process for one job",
  "agent/gateway/answer-usage.ts": OF_A_RUN,
  "agent/gateway/forward-answer.ts": OF_A_RUN,
  "agent/gateway/server.ts": CONSTANT,
  "agent/gateway/identity-tokens.ts": "what the run action has written",
  "agent/gateway/federation-errors.ts": "GitHub's token, and the provider's answer, at most so many bytes of it",
  "agent/loop/assignment.ts": OF_A_RUN,
  "agent/provider/answer-stream.ts": OF_A_RUN,
  "agent/action/network-fence.ts": OF_A_RUN,
  "agent/action/report/hand-in-input.ts": OF_A_RUN,
  "agent/action/report/identity-token.ts": OF_A_RUN,
  "agent/action/report/http-request.ts": OF_A_RUN,
  "agent/action/brief.ts": OF_A_RUN,
  "agent/action/cache-service.ts": OF_A_RUN,
  "agent/action/settings.ts": OF_A_RUN,
  "agent/action/agent-output.ts": OF_A_RUN,
  "agent/action/checkout.ts": OF_A_RUN,
  "agent/action/state.ts": OF_A_RUN,
  "agent/loop/data-block.ts": OF_A_RUN,
};

const filesWith = (pattern: RegExp): string[] =>
  ["src", "agent"].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
      .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
      .filter((file) => !file.startsWith("test/sandbox/") && pattern.test(readFileSync(join(ROOT, file), "utf8"))),
  );

test("every file that reads a text by rules of its own says whose bytes they are", () => {
  expect(filesWith(READERS).sort()).toEqual(Object.keys(PLACES).sort());
});

test("the rows that are named are in the table", async () => {
  const { FOREIGN_PARSERS } = await import("./foreign-parsers.ts");
  const names = new Set(FOREIGN_PARSERS.map(({ name }) => name));
  const named = Object.values(PLACES).flatMap((why) => (why.startsWith("row: ") ? [why.slice(5)] : []));
  expect(named.filter((name) => !names.has(name))).toEqual([]);
});

/** Functions of a text that are no parsers, or parts of one in the table. */
const NO_ROW: Readonly<Record<string, string>> = {
  isBlank: "normalisation",
  escaped: "one character stands for another; its pattern is among all patterns that are swept",
  jobFolder: "joins",
  isTimeZone: "names of zones in the settings, of 64 characters",
  hasPrice: "names of models",
  boundedValue: "what a model is shown (HTML, Markdown)",
  isSecretHeader: "names of headers, of which Node reads 16 KB together",
  finder: "of whoever calls it",
  expandGlob: "globs of the settings",
  parseForeignJson: "bodies of REST calls (JSON)",
  dayOf: "of a number",
  yamlOutOfBounds: ".github/journeyman.yml (YAML)",
  withoutDate: "names of models",
  lineageOf: "names of models",
  costCents: "looks up",
  blanker: "redaction of values",
};

test("every function of a text in src/contracts and src/text is in the table, or says why not", () => {
  const table = readFileSync(join(ROOT, "test/unit/foreign-parsers.ts"), "utf8");
  const exported =
    /^export (?:const|function) (\w+)(?: = )?\((?:text|words|name|host|id|secrets|model|path|source): (?:string|Iterable<string>)/gm;
  const names = filesWith(/./)
    .filter((file) => /^src\/(?:contracts|text)\//.test(file))
    .flatMap((file) => [...readFileSync(join(ROOT, file), "utf8").matchAll(exported)].map(([, name = ""]) => name));
  expect(names.length).toBeGreaterThan(15);
  const missing = names.filter((name) => !(name in NO_ROW) && !new RegExp(`\\b${name}\\b`).test(table));
  expect(missing).toEqual([]);
});
