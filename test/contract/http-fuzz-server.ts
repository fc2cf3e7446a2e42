/**
 * The server under fuzzing: accounts with keys of every kind, jobs in several states, a receiver for outgoing webhooks,
 * and a client that sends requests as they are, valid or not.
 */
import { request as httpRequest, type IncomingMessage } from "node:http";
import { Secret } from "../../src/contracts/secret.ts";
import { asJobId } from "../../src/domain/job/job.ts";
import type { PaymentProvider } from "../../src/engine/ports/payments.ts";
import type { PushTokens } from "../../src/engine/ports/runs.ts";
import { createRunTokens } from "../../src/github/client/run-tokens.ts";
import { type HandClock, handClock } from "../flows/clock.ts";
import { type Described, type Operation, operationsOf, readDescription } from "./description.ts";
import { Knowledge, LEARNED, lookOf } from "./http-fuzz-observed.ts";
import type { Plan, Who } from "./http-fuzz-requests.ts";
import { claimsOf, startIssuer, startRun } from "./http-runs-harness.ts";
import { API_KEY, CRON_SECRET, startServer, type TestServer } from "./http-server.ts";
import { type Receiver, startReceiver } from "./receiver.ts";
import { issueSecret, observeTriggers } from "./trigger-harness.ts";

/** What GitHub and the payment provider are like just now. */
export interface Weather {
  readonly github: "fine" | "refuses" | "away" | "not installed";
  readonly paymentProvider: "fine" | "away";
}
export const FINE: Weather = { github: "fine", paymentProvider: "fine" };

export interface Sent {
  readonly plan: Plan;
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer | undefined;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

export interface World {
  readonly server: TestServer;
  readonly receiver: Receiver;
  readonly clock: HandClock;
  readonly described: Described;
  readonly operations: readonly Operation[];
  readonly knowledge: Knowledge;
  conditions: Weather;
  /** New keys for everybody, and something to use them on. */
  prepare(): Promise<void>;
  send(plan: Plan): Promise<{ readonly sent: Sent; readonly answered: Answered }>;
  close(): Promise<void>;
}

/** A request that is not answered by then hangs. */
const TIMEOUT_MS = 30_000;
const MINUTE_MS = 60_000;

/** As it stands, over a connection of its own; a stream of events is left after its first words. */
function ask(url: string, { plan, path, headers, body }: Sent): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    // a server that is to close cannot but reset what it has not read, and the answer with it
    const given: Record<string, string[]> = { connection: ["keep-alive"] };
    for (const [name, value] of headers) given[name] = [...(given[name] ?? []), value];
    // node would send the body of a GET without saying so
    if (body !== undefined) given["content-length"] = [String(body.length)];
    const options = { hostname, port, path, method: plan.method, agent: false, headers: given, timeout: TIMEOUT_MS };
    const request = httpRequest(options, (response) => {
      const chunks: Buffer[] = [];
      const stream = response.headers["content-type"]?.startsWith("text/event-stream") ?? false;
      const over = (): void => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString(),
        });
        request.destroy();
      };
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        if (stream) over();
      });
      response.on("end", over);
      response.on("error", reject);
    });
    request.on("timeout", () => request.destroy(new Error("no answer")));
    request.on("error", reject);
    request.end(body);
  });
}

/** Lets time pass until it has been answered: whoever waits for GitHub has to give up. */
async function meanwhile<T>(answer: Promise<T>, pass: () => void): Promise<T> {
  const passing = setInterval(pass, 20);
  return answer.finally(() => clearInterval(passing));
}

/** Keys of everybody, by who has them. */
async function createKey({ ask }: TestServer, clock: HandClock): Promise<Map<Who, string>> {
  const keys = new Map<Who, string>([
    ["admin", API_KEY],
    ["wrong", "jm_nobody-was-ever-given-this"],
  ]);
  const make = async (who: Who, body: object): Promise<void> => {
    const made = await ask("POST", "/api/keys", { body: { repository: "*", ...body } });
    keys.set(who, String(Object(made.body).key));
    if (who === "revoked") await ask("DELETE", `/api/keys/${Object(made.body).id}`);
  };
  await make("over", { account: "ada", expires_at: new Date(clock.now() + MINUTE_MS).toISOString() });
  clock.pass(2 * MINUTE_MS);
  await Promise.all([
    make("ada", { account: "ada" }),
    make("bob", { account: "bob" }),
    make("eve", { account: `eve${clock.now()}` }),
    make("reader", { account: "ada", scopes: ["read"] }),
    make("bound", { account: "ada", scopes: ["read", "write", "work", "admin"], repository: "octocat/hello-world" }),
    make("revoked", { account: "ada" }),
  ]);
  return keys;
}

const REPORT = { name: "report.pdf", type: "application/pdf", content: "JVBERg==" };

/** Jobs of the market in the states that a request alone does not lead to, a job of an agent's, and a webhook with deliveries. */
async function furnish({ server, knowledge }: World, keys: Map<Who, string>, hook: string): Promise<void> {
  const post = async (who: Who, path: string, body: object = {}): Promise<string> => {
    const made = Object((await server.ask("POST", path, { key: keys.get(who) ?? null, body })).body);
    knowledge.learn(lookOf(String(made.id)), String(made.id));
    knowledge.accounts.add(String(made.account));
    return String(made.id);
  };
  await post("admin", "/api/wallet/credit", { account: "ada", amount_cents: 20_000 });
  const hooked = await post("ada", "/api/webhooks", { url: hook });
  await post("ada", `/api/webhooks/${hooked}/test`);
  await post("ada", "/api/webhooks", { url: hook, format: "teams" });
  const order = { prompt: "Research Unix", price_cents: 500, time_limit_seconds: 3_600, confirmed: true };
  const enclosed = { attachments: [REPORT], envVars: { TOKEN: "hush" } };
  await Promise.all(Array.from({ length: 6 }, () => post("ada", "/api/jobs/run", { ...order, ...enclosed })));
  for (const steps of [["accept", "submit"], ["accept", "submit"], ["accept"], ["accept"], []]) {
    const id = await post("bob", "/api/jobs/pull");
    for (const step of steps)
      await post("bob", `/api/jobs/${id}/${step}`, { output_text: "Done.", output_attachments: [REPORT] });
    const job = asJobId(id);
    if (!steps.includes("submit") || job === null) continue;
    // as the effects would report that there is no branch to open, and no judge
    await server.engine.handle(job, { type: "nothing-to-open", round: 1 });
    await server.engine.handle(job, { type: "judged", round: 1, attempt: 1, sha: null, verdict: "none", reasons: [] });
  }
  // waits for payment, and can be paid by now
  const unpaid = await server.ask("POST", "/api/jobs/run", { key: keys.get("eve") ?? null, body: order });
  await post("admin", "/api/wallet/credit", { account: String(Object(unpaid.body).account), amount_cents: 700 });
  knowledge.learn(lookOf("ab12cd34"), String(Object(unpaid.body).id));
  await post("ada", "/v2/agent/octocat%2Fhello-world/job", { prompt: "create PROMPT.md" });
}

/** A job at work, and what its run is known by. */
interface Running {
  readonly id: string;
  readonly token: string;
  /** Of the trigger in the description's examples. */
  readonly secret: string;
}

const isForTriggers = ({ operation }: Plan): boolean => operation.operationId === "callTrigger";
const isForRuns = ({ operation }: Plan): boolean => operation.path.startsWith("/api/runs/");

/** How whoever sends this is known. */
function presented(plan: Plan, key: string | undefined, { token, secret }: Running): [string, string][] {
  const { who, as } = plan;
  if (who === "machine")
    return [
      ["authorization", `Bearer ${isForTriggers(plan) ? secret : isForRuns(plan) ? token : CRON_SECRET}`],
      ["stripe-signature", "t=1,v1=good"],
      ...(isForTriggers(plan) ? ([["content-type", "application/json"]] satisfies [string, string][]) : []),
    ];
  if (key === undefined) return [];
  const shown: [string, string][] = as === "bearer" ? [] : [["x-api-key", key]];
  return as === "x-api-key" ? shown : [...shown, ["authorization", `Bearer ${key}`]];
}

/** What stands in the plan by number, in full. */
function written(plan: Plan, world: World, keys: Map<Who, string>, running: Running, address: string): Sent {
  const { operation, params, query, headers, who } = plan;
  const { knowledge } = world;
  let path = operation.path;
  for (const { name, example } of operation.parameters) {
    const told = params[name];
    const kind = lookOf(String(example));
    const own = isForRuns(plan) && who === "machine" && typeof told === "object";
    if (told !== undefined) path = path.replace(`{${name}}`, () => (own ? running.id : knowledge.resolve(kind, told)));
  }
  const asked = query.map(([name, told]) => `${name}=${knowledge.resolve(name, told)}`).join("&");
  const key = who === "learned" ? knowledge.named("key", 0) : keys.get(who);
  const text = plan.body
    ?.toString("latin1")
    .replace(LEARNED, (_, kind: string, number: string) => JSON.stringify(knowledge.named(kind, Number(number))));
  return {
    plan,
    path: asked === "" ? path : `${path}?${asked}`,
    headers: [
      ...presented(plan, key, running),
      ["x-forwarded-for", address],
      ...headers.map(([name, told]) => [name, knowledge.resolve(name, told)] as const),
    ],
    body: text === undefined ? undefined : Buffer.from(text, "latin1"),
  };
}

/** What was said to who asked, for later. */
function note(knowledge: Knowledge, { plan }: Sent, { headers, text }: Answered): void {
  const cursor = /[?&]cursor=([^&>]+)/.exec(String(headers.link ?? ""))?.[1];
  if (cursor !== undefined) knowledge.learn("cursor", cursor);
  if (headers.etag !== undefined) knowledge.learn("If-None-Match", headers.etag);
  for (const [, id = ""] of text.matchAll(/^id: (.+)$/gm)) knowledge.learn("Last-Event-ID", id);
  // HEAD is told the type of a body that does not come
  const json = text !== "" && headers["content-type"]?.startsWith("application/json");
  if (json) knowledge.read(plan.operation, JSON.parse(text));
}

const paymentProviderIn = (conditions: () => Weather): PaymentProvider => ({
  checkout: async () =>
    conditions().paymentProvider === "fine" ? { id: "cs_1", url: "https://checkout.example.com/cs_1" } : null,
  readEvent: async (body, signature) => {
    if (conditions().paymentProvider === "away") return "away";
    const paid = { account: "ada", cents: body.length + 1, reason: "topup", action: "topup" } as const;
    return signature === "t=1,v1=good"
      ? { event: "evt_1", movements: [{ ...paid, id: `pi_${body.length}` }] }
      : "forged";
  },
});

const pushTokensIn = (conditions: () => Weather): PushTokens => ({
  async create() {
    if (conditions().github === "away") throw new Error("GitHub is away");
    return { token: new Secret("ghs_1_pushes"), expires_at: "2030-01-31T13:00:00Z" };
  },
});

const AUDIENCE = "https://journeyman.example";

export async function startWorld(): Promise<World> {
  const clock = handClock();
  const issuer = await startIssuer(AUDIENCE, clock.now);
  const receiver = await startReceiver();
  const given = { default_repository: "octocat/hello-world", clock, trust_proxy: 1 };
  const server = await startServer({
    ...given,
    paymentProvider: paymentProviderIn(() => world.conditions),
    run_tokens: createRunTokens({ issuer: issuer.url, audience: AUDIENCE, now: clock.now }),
    push_tokens: pushTokensIn(() => world.conditions),
  });
  const described = readDescription((await server.ask("GET", "/api/openapi.json", { key: null })).body);
  let keys = new Map<Who, string>();
  let running = "";
  let secret = "";
  let requests = 0;
  // some receivers take what they are sent, some do not, one wants no more
  receiver.answer = ({ body }, response) =>
    void response.writeHead([204, 204, 500, 410, 302][body.length % 5] ?? 204).end();
  server.github.push = () =>
    ({ fine: "done", refuses: "It has no workflow.", away: "later", "not installed": "done" })[world.conditions.github];
  const world: World = {
    ...{ server, receiver, clock, described, operations: operationsOf(described), knowledge: new Knowledge() },
    conditions: FINE,
    async prepare() {
      world.conditions = FINE;
      server.github.installed = true;
      keys = await createKey(server, clock);
      await furnish(world, keys, receiver.url);
      running = await startRun(server);
      await observeTriggers(server);
      secret = await issueSecret(server, "error-report");
    },
    async send(plan) {
      server.github.installed = world.conditions.github !== "not installed";
      requests++;
      // everybody comes from somewhere else, so that wrong keys do not lock out the others
      const sent = written(
        plan,
        world,
        keys,
        { id: running, token: await issuer.sign(claimsOf(running)), secret },
        `10.${(requests >> 16) & 255}.${(requests >> 8) & 255}.${requests & 255}`,
      );
      const asked = ask(server.url, sent);
      const answered = await (world.conditions.github === "away"
        ? meanwhile(asked, () => clock.pass(MINUTE_MS))
        : asked);
      note(world.knowledge, sent, answered);
      return { sent, answered };
    },
    async close() {
      await receiver.close();
      await server.close();
      await issuer.close();
    },
  };
  return world;
}
