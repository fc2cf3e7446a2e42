/** Generates the content between `<!-- generated: … -->` and `<!-- end -->` on the pages from the code. */
import { parse } from "yaml";
import * as z from "zod";
import { containerSchema } from "../../src/contracts/container.ts";
import { DEFAULT_REPOSITORY_SETTINGS, repositorySettingsSchema } from "../../src/contracts/settings.ts";
import { TOKENS } from "../../src/contracts/tokens.ts";
import { FAILURE_CODES, LOG_FIELDS } from "../../src/domain/job/log-fields.ts";
import { NEVER_MERGING, SHORT_NAMES } from "../../src/domain/job/never-merging.ts";
import { JOB_OUTCOMES } from "../../src/domain/job/outcome.ts";
import { PUBLISHED_EVENT_NAMES } from "../../src/domain/published-events.ts";
import { HELP } from "../../src/engine/comment-replies.ts";
import { readSlashCommand } from "../../src/github/events/slash-command.ts";
import { createMetrics } from "../../src/http/admin/metrics.ts";
import { ERROR_CODES, type ErrorCode } from "../../src/http/routing/error-codes.ts";
import { schema as serverSettingsSchema } from "../../src/main/settings.ts";
import { type Operation, operationsOf, readDescription } from "../contract/description.ts";
import { startServer } from "../contract/http-server.ts";
import { codeOf, textOf } from "../process/read-markdown.ts";
import { FOREIGN_PARSERS } from "../unit/foreign-parsers.ts";
import { API_LIMITS, SERVER_BOUNDS } from "./limits.ts";
import { annotated, type Region, type Rows, rowsOf, table } from "./pages.ts";

const code = (text: string): string => `\`${text}\``;

/** A table of which every word comes from the code. */
const whole =
  (head: readonly string[], rows: Rows): Region =>
  () =>
    table(head, rows);

function settingsOfTheServer(): Rows {
  const rows = Object.entries(serverSettingsSchema.shape).map(([name, rule]) => {
    const { data } = rule.safeParse(undefined);
    return [code(name), data === undefined ? "" : code(String(data))];
  });
  const key = [
    [code("PRIVATE_KEY"), ""],
    [code("PRIVATE_KEY_PATH"), ""],
  ];
  return [...rows.slice(0, 1), ...key, ...rows.slice(1)];
}

/** What counts where a key of the settings file is missing and its default is no constant. */
const UNSET: Readonly<Record<string, string>> = {
  ...{ "llm.provider": "the server's", "llm.model": "the server's", "llm.max_tokens": "the server's" },
  ...{ "limits.running": "no limit", "limits.running_per_requester": "no limit" },
  ...{ "limits.open_pull_requests": "no limit", "limits.open_pull_requests_per_requester": "no limit" },
  "limits.expires_days": "never",
  egress: "all hosts",
  "container.image": "the agent's own",
  ...{ "cache.paths": "none", "cache.fill": "none" },
};

/** Of a map that has no default as a whole. */
const NO_MORE = containerSchema.parse({ image: "debian:12" });

function settingsOfARepository(): Rows {
  const told = (value: unknown): string => (typeof value === "string" ? value || '""' : JSON.stringify(value));
  const row = (key: string, value: unknown): string[] => [code(key), UNSET[key] ?? code(told(value))];
  return Object.entries(repositorySettingsSchema.shape).flatMap(([group, part]) => {
    const value = new Map<string, unknown>(Object.entries({ container: NO_MORE, ...DEFAULT_REPOSITORY_SETTINGS })).get(
      group,
    );
    const inner = part.unwrap();
    return inner instanceof z.ZodObject
      ? Object.keys(inner.shape).map((key) =>
          row(`${group}.${key}`, new Map<string, unknown>(Object.entries(Object(value))).get(key)),
        )
      : [row(group, value)];
  });
}

const manifest = z
  .object({ default_permissions: z.record(z.string(), z.string()), default_events: z.array(z.string()) })
  .parse(parse(textOf("app.yml")));

function inputsOf(file: string): Rows {
  const input = z.object({ description: z.string(), default: z.string().optional() });
  const { inputs } = z.object({ inputs: z.record(z.string(), input) }).parse(parse(textOf(file)));
  return Object.entries(inputs).map(([name, { description, default: value }]) => [
    ...[code(name), value === undefined ? "" : code(value)],
    description
      .trim()
      .replace(/\.$/, "")
      .replace(/^\w/, (first) => first.toLowerCase()),
  ]);
}

/** The flags of `/job`, as the answer to an unknown one lists them. */
function flags(): readonly string[] {
  const refused = readSlashCommand("/job --zzzz mend the greeting");
  const sentence = refused?.verb === "mistaken" ? refused.sentence : "";
  return codeOf(/The flags are ([^.;]+)[.;]/.exec(sentence)?.[1] ?? "");
}

const NO_JOBS = {
  pending_payment: 0,
  queued: 0,
  held: 0,
  accepted: 0,
  submitted: 0,
  waiting_for_user: 0,
  verified: 0,
  failed: 0,
  cancelled: 0,
};

async function metrics(): Promise<Rows> {
  const made = createMetrics({
    jobs: { counts: async () => ({ statuses: NO_JOBS, pending: 1, failing: 1 }) },
    inbox: { backlog: async () => ({ count: 1, oldest_at: 0 }) },
    budget: () => [{ window: "minute", left: 1, limit: 1 }],
    spending: { usage: async function* () {} },
    now: () => 0,
  });
  made.timed("/")("GET", 200, 1);
  made.meter.delivery("done", 1);
  const { content } = await made.exposition();
  return [...content.matchAll(/^# HELP (journeyman_\w+) (.*)$/gm)].map(([, name = "", help = ""]) => {
    const sample = new RegExp(`^${name}(?:_count)?\\{(.*)\\} `, "m").exec(content)?.[1] ?? "";
    const labels = [...sample.matchAll(/(\w+)="/g)].map(([, label = ""]) => code(label));
    return [code(name), labels.join(", "), help.replace(/\.$/, "").replace(/^\w/, (first) => first.toLowerCase())];
  });
}

async function operations(): Promise<readonly Operation[]> {
  const server = await startServer();
  try {
    return operationsOf(readDescription((await server.ask("GET", "/api/openapi.json", { key: null })).body));
  } finally {
    await server.close();
  }
}

const scopeOf = ({ description = "" }: Operation): string =>
  /Needs a key with the scope (`\w+`)\.$/.exec(description)?.[1] ?? "";

const routes = (all: readonly Operation[], groups: readonly string[]): Rows =>
  all
    .filter(({ tags }) => groups.some((group) => tags.includes(group)))
    .map((one) => [code(`${one.method.toUpperCase()} ${one.path}`), scopeOf(one), one.summary]);

const isErrorCode = (name: string): name is ErrorCode => Object.hasOwn(ERROR_CODES, name);

function errors(all: readonly Operation[]): Rows {
  const answered = all.flatMap(({ responses }) =>
    Object.entries(responses).flatMap(([status, { description }]) =>
      [...description.matchAll(/^- `(\w+)`/gm)].map(([, name = ""]) => `${status} ${name}`),
    ),
  );
  // no operation answers it: it is for those that are none
  const rows = [...new Set([...answered, "405 method_not_allowed"])].map((row) => row.split(" "));
  return rows
    .map(([status = "", name = ""]) => [status, code(name), isErrorCode(name) ? ERROR_CODES[name] : ""])
    .sort((a, b) => `${a[0]}${a[1]}`.localeCompare(`${b[0]}${b[1]}`));
}

const ROUTE_TABLES: Readonly<Record<string, readonly string[]>> = {
  "routes of jobs": ["create-job"],
  "routes of agent v2": ["agent v2"],
  "routes of triggers": ["triggers"],
  "routes of repositories": ["repositories"],
  "routes of keys": ["keys", "audit"],
  "routes of use": ["usage", "budgets"],
  "routes of runs": ["runs"],
  "routes of the server": ["server"],
  "routes of the market": ["market", "wallet"],
  "routes of webhooks": ["webhooks"],
};

/** A row for each name, in its own column as code. */
const named = (names: readonly string[]): Rows => names.map((name) => [code(name)]);
const explained = (words: Readonly<Record<string, string>>): Rows =>
  Object.entries(words).map(([name, meaning]) => [code(name), meaning]);

/** Tables whose rows are in the code and whose last column is prose of the page. */
const ANNOTATED: Readonly<Record<string, Region>> = {
  permissions: annotated(
    ["permission", "access", "why"],
    Object.entries(manifest.default_permissions).map(([name, access]) => [code(name), access]),
  ),
  events: annotated(["event", "why"], named(manifest.default_events)),
  flags: annotated(["flag", "meaning"], named(flags())),
  "repository settings": annotated(["key", "default", "meaning"], settingsOfARepository()),
  "server settings": annotated(["variable", "default", "meaning"], settingsOfTheServer()),
  "webhook events": annotated(["event", "when"], named(PUBLISHED_EVENT_NAMES)),
};

/** Tables that are in the code to the last word. */
const WHOLE: Readonly<Record<string, Region>> = {
  commands: whole(
    ["comment", "what happens"],
    rowsOf(HELP).map((cells) => cells.map((cell) => (cell === "this text" ? "this table, as a comment" : cell))),
  ),
  outcomes: whole(["`outcome`", "meaning"], explained(JOB_OUTCOMES)),
  "run action inputs": whole(["run-job's input", "default", "meaning"], inputsOf(".github/actions/run-job/action.yml")),
  "actions mode inputs": whole(["input", "default", "meaning"], inputsOf("action.yml")),
  "api limits": whole(["what", "limit"], API_LIMITS),
  "server bounds": whole(["what", "bound"], SERVER_BOUNDS),
  "log fields": whole(["field", "what it says"], explained(LOG_FIELDS)),
  "failure codes": whole(
    ["command", "error_code"],
    Object.entries(FAILURE_CODES).map((row) => row.map(code)),
  ),
  tokens: whole(
    ["token", "where it lives", "for how long", "shown to"],
    TOKENS.map(({ name, lives, lasts, shown }) => [name, lives, lasts, shown]),
  ),
  "never merging": whole(
    ["what", "paths, in any case, with all that is below"],
    [
      ...NEVER_MERGING.map(({ globs, what }) => [what, globs.map(code).join(", ")]),
      [SHORT_NAMES, `by which NTFS opens them, such as ${code("github~1")}`],
    ],
  ),
  parsers: whole(
    ["parser", "whose bytes", "size", "depth", "time"],
    FOREIGN_PARSERS.map(({ name, from, size, depth, time }) => [
      ...[name, from, `${size.toLocaleString("en")} characters`, depth, time],
    ]),
  ),
};

/** Every region by its name. */
export async function regions(): Promise<ReadonlyMap<string, Region>> {
  const all = await operations();
  const shown = new Set(Object.values(ROUTE_TABLES).flat());
  for (const group of new Set(all.flatMap(({ tags }) => tags))) {
    if (!shown.has(group)) throw new Error(`No table shows the routes of “${group}”.`);
  }
  const ofRoutes = Object.entries(ROUTE_TABLES).map(
    ([name, groups]) => [name, whole(["call", "scope", "what it does"], routes(all, groups))] as const,
  );
  return new Map<string, Region>([
    ...Object.entries(ANNOTATED),
    ...Object.entries(WHOLE),
    ...ofRoutes,
    ["metrics", whole(["metric", "labels", "what it counts"], await metrics())],
    ["errors", whole(["HTTP", "`code`", "meaning"], errors(all))],
  ]);
}
