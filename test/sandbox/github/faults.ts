/** API faults that a test requests. Selects the fault for a request; `server.ts` applies it. */
export interface Fault {
  readonly match: { readonly method?: string; readonly path?: RegExp; readonly graphql?: RegExp };
  readonly status: number;
  /** With 403 or 429: GitHub's text for the secondary rate limit. */
  readonly secondary?: boolean;
  /** Seconds. */
  readonly retryAfter?: number;
  /** How often; 1 by default. */
  readonly times?: number;
  /** false: the request is processed and its answer is lost. */
  readonly before?: boolean;
  /** The connection is cut instead of answered. */
  readonly drop?: boolean;
  /** The connection stays open without an answer. */
  readonly stall?: boolean;
}

export interface FaultTarget {
  readonly method: string;
  readonly path: string;
  /** Part of a GraphQL request's query text. */
  readonly graphql: string | undefined;
}

export class Faults {
  #faults: { readonly fault: Fault; left: number }[] = [];

  add(fault: Fault): void {
    this.#faults.push({ fault, left: fault.times ?? 1 });
  }

  /** True when every fault has been used. */
  get spent(): boolean {
    return this.#faults.every(({ left }) => left === 0);
  }

  clear(): void {
    this.#faults = [];
  }

  take(target: FaultTarget): Fault | undefined {
    const found = this.#faults.find(({ fault, left }) => left > 0 && matches(fault, target));
    if (found) found.left -= 1;
    return found?.fault;
  }
}

function matches({ match }: Fault, target: FaultTarget): boolean {
  return (
    (match.method === undefined || match.method.toUpperCase() === target.method) &&
    (match.path === undefined || match.path.test(target.path)) &&
    (match.graphql === undefined || (target.graphql !== undefined && match.graphql.test(target.graphql)))
  );
}
