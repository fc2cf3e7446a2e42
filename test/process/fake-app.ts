/**
 * The other side of a running job, for tests of the log uploader: a real HTTP server that gives identity tokens as GitHub
 * does and receives reports as the App does, or does to them what a test asks for. Accepts nothing without the token that
 * it gave last for its own address.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import * as z from "zod";
import { type LogLine, logLineSchema } from "../../src/contracts/log-line.ts";
import { RUN_ACTION_HEADER } from "../../src/contracts/run-report.ts";
import { JOB_ID } from "../unit/agent-job.ts";

/** What happens to one report instead of being received. */
export type Fate =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: unknown }
  | "cut"
  | "stall"
  /** Received, but the answer is lost. */
  | "lose";

const reported = z.object({ lines: z.array(logLineSchema) });

export class FakeApp {
  readonly lines: LogLine[] = [];
  /** The first number of each request that came, whatever became of it. */
  readonly starts: number[] = [];
  readonly sizes: number[] = [];
  readonly audiences: string[] = [];
  /** What each report said of the run action that sent it. */
  readonly versions: (string | undefined)[] = [];
  readonly deniedPeople: string[] = [];
  readonly handedIn: unknown[] = [];
  /** Of the reports to come, in their order; then all are received. */
  readonly fates: Fate[] = [];
  tokenLifeS = 300;
  received = 0;
  mostAtOnce = 0;
  stalled = 0;
  #atOnce = 0;
  #given = 0;
  #live = new Set<string>();
  readonly #server: Server;
  readonly #watchers = new Set<() => void>();

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => response.writeHead(599).end(String(error)));
    });
  }

  static async open(): Promise<FakeApp> {
    const fakeApp = new FakeApp();
    fakeApp.#server.listen(0, "127.0.0.1");
    await once(fakeApp.#server, "listening");
    return fakeApp;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
  }

  get environment(): Record<string, string> {
    return {
      JOB_ID,
      APP_URL: this.url,
      ACTIONS_ID_TOKEN_REQUEST_URL: `${this.url}/idtoken?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: "request-token-of-the-run",
    };
  }

  get asked(): number {
    return this.#given;
  }

  /** Tokens that were given so far count no longer, as when keys change. */
  forgetTokens(): void {
    this.#live.clear();
  }

  /** Resolves once it holds; looked at after every request. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.url);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString("utf8");
    const say = (status: number, body: unknown, headers: Record<string, string> = {}) =>
      response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
    if (url.pathname === "/idtoken") {
      const known = request.headers.authorization === "Bearer request-token-of-the-run";
      if (!known) return void say(401, {});
      return void say(200, { count: 1, value: this.#token(url.searchParams.get("audience") ?? "") });
    }
    const what = new RegExp(`^/api/runs/${JOB_ID}/(log|result)$`).exec(url.pathname)?.[1];
    if (what === undefined || request.method !== "POST") {
      this.deniedPeople.push(`${request.method} ${url.pathname}`);
      return void say(404, {});
    }
    this.versions.push(request.headers[RUN_ACTION_HEADER]?.toString());
    this.#atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#atOnce);
    response.once("close", () => {
      this.#atOnce -= 1;
    });
    if (what === "log") {
      const { lines } = reported.parse(JSON.parse(text));
      this.starts.push(lines[0]?.seq ?? 0);
      this.sizes.push(lines.length);
    }
    const fate = this.fates.shift();
    const bearer = (request.headers.authorization ?? "").replace(/^Bearer /, "");
    if (fate === "cut") request.socket.destroy();
    else if (fate === "stall") this.stalled += 1;
    else if (fate !== undefined && fate !== "lose") say(fate.status, fate.body ?? { error: "as asked" }, fate.headers);
    else if (!this.#live.has(bearer)) say(401, { error: "the token is not known" });
    else {
      const answer = what === "log" ? this.#receiveLines(text) : this.#take(text);
      if (fate === "lose") request.socket.destroy();
      else say(200, answer);
    }
    for (const watcher of [...this.#watchers]) watcher();
  }

  #receiveLines(text: string): unknown {
    for (const line of reported.parse(JSON.parse(text)).lines) {
      if (line.seq <= this.received) continue;
      this.lines.push(line);
      this.received = line.seq;
    }
    return { received: this.received };
  }

  #take(text: string): unknown {
    this.handedIn.push(JSON.parse(text));
    return { token: "ghs_token.of-the_app", expires_at: "2030-01-31T12:00:00Z" };
  }

  #token(subscriptionMatcher: string): string {
    this.audiences.push(subscriptionMatcher);
    this.#given += 1;
    const exp = Math.floor(Date.now() / 1000) + this.tokenLifeS;
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const token = `${part({ alg: "RS256" })}.${part({ aud: subscriptionMatcher, exp, jti: this.#given })}.c2lnbmVk`;
    if (subscriptionMatcher === this.url) this.#live.add(token);
    return token;
  }
}
