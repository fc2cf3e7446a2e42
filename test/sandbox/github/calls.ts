/** The list of API calls, for tests and the demo's count. */
import type { Level } from "./model.ts";

export interface Call {
  readonly at: number;
  readonly method: string;
  /** The route's template, e.g. `/repos/:owner/:repo/git/refs`. */
  readonly route: string;
  readonly path: string;
  readonly status: number;
  readonly actor: "app" | "installation" | "workflow" | "user" | "user-to-server" | "client" | "anonymous";
  readonly kind: Level;
  /** The GraphQL operation's name, or its first field. */
  readonly graphql: string | undefined;
}

/** Older calls beyond this number are forgotten. */
const CALL_LIMIT = 100_000;

export class Calls {
  #calls: Call[] = [];

  add(call: Call): void {
    this.#calls.push(call);
    if (this.#calls.length > CALL_LIMIT) this.#calls = this.#calls.slice(-CALL_LIMIT / 2);
  }

  list(): readonly Call[] {
    return [...this.#calls];
  }

  reset(): void {
    this.#calls = [];
  }
}
