/**
 * Derives the answers that a route shares with others from its properties: with a key it can refuse one, with a body it
 * can find it broken. For the description; `mount.ts` implements them.
 */
import { MAX_BODY_BYTES, sizeInWords } from "./limits.ts";
import type { AnswerShape, Route } from "./route.ts";

export type Answers = Readonly<Record<number, AnswerShape>>;

/** The headers by which a limit speaks, on every answer that it has counted. */
const LIMIT_HEADERS = {
  "RateLimit-Policy": "The limits that count this request: their names, how many (`q`) and in how many seconds (`w`).",
  RateLimit: "What is left of each (`r`), and in how many seconds it is full again (`t`).",
} as const;

const RETRY_AFTER = { "Retry-After": "In how many seconds to come again." } as const;

/** Described once in the document, for they stand on most answers. */
export const SHARED_HEADERS: Readonly<Record<string, string>> = { ...LIMIT_HEADERS, ...RETRY_AFTER };

const UNASKED: Answers = {
  500: { about: "Our fault.", codes: ["internal_error"] },
  503: { about: "The server is starting or stopping.", codes: ["starting"], headers: RETRY_AFTER },
};

const OF_KEYS: Answers = {
  401: {
    about: "Nobody is known by this key.",
    codes: ["unauthorized"],
    headers: { "WWW-Authenticate": "How to bring a key." },
  },
  429: { about: "Too many wrong keys from this address.", codes: ["too_many_guesses"], headers: RETRY_AFTER },
};

const OF_SCOPES: Answers = { 403: { about: "The key may not do this.", codes: ["missing_scope"] } };

/** What is not of one repository is for keys that are bound to none. */
const OF_SERVER: Answers = { 403: { about: "The key may not do this.", codes: ["forbidden"] } };

/** A key from signing in may write only as long as its holder may. */
const OF_STANDING: Answers = {
  403: { about: "The key's holder may not command there any more.", codes: ["forbidden"] },
  502: { about: "GitHub could not be asked; try again.", codes: ["github_unavailable"] },
};

const OF_INPUT: Answers = { 400: { about: "The request is wrong.", codes: ["invalid_field"] } };

const OF_BODIES: Answers = {
  400: { about: "The request is wrong.", codes: ["invalid_body", "invalid_json", "incomplete_body"] },
  503: { about: "Not now.", codes: ["busy"], headers: RETRY_AFTER },
  415: { about: "Send JSON in UTF-8, plain or compressed with gzip.", codes: ["unsupported_encoding"] },
};

const tooLarge = (bytes: number): Answers => ({
  413: { about: `The body is larger than ${sizeInWords(bytes)}.`, codes: ["body_too_large"] },
});

const OF_WRITES: Answers = { 429: { about: "Too many.", codes: ["rate_limited"], headers: RETRY_AFTER } };

const OF_REPEATABLES: Answers = {
  400: { about: "The request is wrong.", codes: ["invalid_idempotency_key"] },
  409: { about: "Not now.", codes: ["still_running"], headers: RETRY_AFTER },
  422: { about: "Not this.", codes: ["idempotency_key_reused"] },
};

/** The words of the first that has any; codes and headers of both. */
const merged = (first: AnswerShape | undefined, second: AnswerShape): AnswerShape => ({
  ...second,
  ...first,
  ...(first?.codes || second.codes ? { codes: [...new Set([...(first?.codes ?? []), ...(second.codes ?? [])])] } : {}),
  headers: { ...second.headers, ...first?.headers },
});

export const writes = ({ method }: Pick<Route, "method">): boolean => method !== "get";
export const takesBody = ({ method }: Pick<Route, "method">): boolean => writes({ method }) && method !== "delete";

export const isOfServer = ({ scope }: Pick<Route, "scope">): boolean => scope === "admin";

function reasonsOf(route: Route): Answers[] {
  const { scope, params, query, body, repeatable, lasting, max_body_bytes = MAX_BODY_BYTES } = route;
  const keyed = scope !== null;
  return [
    ...(params !== undefined || query !== undefined || body !== undefined ? [OF_INPUT] : []),
    ...(takesBody(route) ? [OF_BODIES, tooLarge(max_body_bytes)] : []),
    ...(repeatable ? [OF_REPEATABLES] : []),
    ...(keyed ? [OF_KEYS] : []),
    ...(keyed && scope !== "any" ? [OF_SCOPES] : []),
    ...(isOfServer(route) ? [OF_SERVER] : []),
    ...(keyed && writes(route) && !lasting ? [OF_STANDING] : []),
    ...(keyed && writes(route) ? [OF_WRITES] : []),
    UNASKED,
  ];
}

/** All that the route may answer, by status. */
export function answersOf(route: Route): Answers {
  const all: Record<number, AnswerShape> = { ...route.answers };
  for (const answers of reasonsOf(route)) {
    for (const [status, shape] of Object.entries(answers)) all[Number(status)] = merged(all[Number(status)], shape);
  }
  if (route.scope === null || !writes(route)) return all;
  // the limit stands behind the key and in front of everything else
  return Object.fromEntries(
    Object.entries(all).map(([status, shape]) => {
      const uncounted = ["401", "403", "503"].includes(status);
      return [status, uncounted ? shape : { ...shape, headers: { ...LIMIT_HEADERS, ...shape.headers } }];
    }),
  );
}
