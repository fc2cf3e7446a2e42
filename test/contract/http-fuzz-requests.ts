/**
 * Generates requests for the fuzzing from the API's description: valid, almost valid and hostile ones. Ids are referred
 * to by number, since they are known only when the request is sent. Sends nothing.
 */
import { brotliCompressSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import type { Operation, Schema } from "./description.ts";
import { type Header, HOSTILE_BODIES, oddHeader, segment } from "./http-fuzz-hostile.ts";
import { learned, type Told } from "./http-fuzz-observed.ts";
import { hostileString, nearlyOf, textOf, validOf } from "./http-fuzz-values.ts";

export interface Plan {
  readonly operation: Operation;
  readonly method: string;
  /** Of each parameter in the path, encoded. */
  readonly params: Readonly<Record<string, Told>>;
  /** Encoded. */
  readonly query: readonly (readonly [name: string, value: Told])[];
  readonly body: Buffer | undefined;
  readonly headers: readonly (readonly [name: string, value: Told])[];
  readonly who: Who;
  /** How the key is shown. */
  readonly as: "x-api-key" | "bearer" | "both";
}

const SENDERS = ["admin", "ada", "eve"] as const;
/** `learned`: a key that an earlier answer showed; `machine`: known by a secret of its own, not by a key. */
const OTHERS = ["bob", "reader", "bound", "over", "revoked", "wrong", "nobody", "learned", "machine"] as const;
export type Who = (typeof SENDERS | typeof OTHERS)[number];

/** Among so many of the newest is something in each state. */
const NEWEST = 8;

type Parameter = Operation["parameters"][number];

const isId = ({ name }: Parameter): boolean => /^(?:id|delivery|cursor|If-None-Match)$|_id$/.test(name);

function pathParam(parameter: Parameter): fc.Arbitrary<Told> {
  const example = encodeURIComponent(String(parameter.example));
  const usual = isId(parameter) ? learned(NEWEST) : fc.constant<Told>(example);
  return fc.oneof(
    { weight: 8, arbitrary: usual },
    { weight: 1, arbitrary: segment },
    { weight: 1, arbitrary: learned(60) },
  );
}

const encoded = (value: unknown): string => encodeURIComponent(String(value).replace(/\p{Cs}/gu, "\ufffd"));

function queryParam(parameter: Parameter): fc.Arbitrary<(readonly [string, Told])[]> {
  const name = parameter.name;
  const usual = isId(parameter) ? learned(NEWEST) : validOf(parameter.schema, []).map(encoded);
  const once = fc.oneof<fc.WeightedArbitrary<Told>[]>(
    { weight: 5, arbitrary: usual },
    { weight: 1, arbitrary: hostileString.map((text) => encoded(text.slice(0, 3_000))) },
    { weight: 1, arbitrary: segment },
  );
  const odd = fc.constantFrom(`${name}[]`, `${name}[a]`, `${name}[__proto__][a]`, "__proto__", name.toUpperCase());
  return fc.oneof(
    { weight: 6, arbitrary: once.map((value) => [[name, value] as const]) },
    { weight: parameter.required ? 1 : 5, arbitrary: fc.constant<(readonly [string, Told])[]>([]) },
    { weight: 1, arbitrary: fc.tuple(once, once).map(([a, b]) => [[name, a] as const, [name, b] as const]) },
    { weight: 1, arbitrary: fc.tuple(odd, once).map(([other, value]) => [[other, value] as const]) },
  );
}

/** The body of the example with some of its fields as others that are allowed. */
function goodBody(operation: Operation, addresses: readonly string[]): fc.Arbitrary<unknown> | null {
  const described = operation.requestBody?.content["application/json"];
  if (described === undefined) return null;
  const schema: Schema = described.schema ?? {};
  const [address = ""] = addresses;
  const text = textOf(described.example).replaceAll("https://example.com/journeyman", address);
  const example: unknown = JSON.parse(text === "" ? "{}" : text);
  const valid = validOf(schema, addresses);
  const varied = fc.tuple(valid, fc.nat(), fc.nat({ max: 9 })).map(([value, some, number]) => {
    const given = Object.entries(Object(value)).filter((_, index) => (some >> (2 * index)) % 4 === 0);
    const told = given.map(([name, one]) => [name, /_id$/.test(name) && one ? `@learned ${name} ${number}@` : one]);
    return { ...Object(example), ...Object.fromEntries(told) };
  });
  return fc.oneof({ weight: 3, arbitrary: varied }, { weight: 1, arbitrary: valid });
}

interface Sent {
  readonly body: Buffer | undefined;
  readonly headers: readonly Header[];
}

const packed = (text: string): fc.Arbitrary<Sent> =>
  fc.constantFrom<Sent>(
    { body: gzipSync(text), headers: [["Content-Encoding", "gzip"]] },
    { body: brotliCompressSync(text), headers: [["Content-Encoding", "br"]] },
    { body: gzipSync(text).subarray(0, 12), headers: [["Content-Encoding", "gzip"]] },
    { body: gzipSync(Buffer.alloc(3_000_000, " ")), headers: [["Content-Encoding", "gzip"]] },
    { body: Buffer.from(text), headers: [["Content-Encoding", "deflate"]] },
  );

function bodyFor(operation: Operation, addresses: readonly string[]): fc.Arbitrary<Sent> {
  const json = (value: unknown): Sent => ({ body: Buffer.from(textOf(value)), headers: [] });
  const raw = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom(...HOSTILE_BODIES).map((body): Sent => ({ body: Buffer.from(body), headers: [] })),
    },
    {
      weight: 1,
      arbitrary: fc.uint8Array({ maxLength: 64 }).map((bytes): Sent => ({ body: Buffer.from(bytes), headers: [] })),
    },
  );
  const nothing = fc.constant<Sent>({ body: undefined, headers: [] });
  const good = goodBody(operation, addresses);
  if (operation.method === "GET") return fc.oneof({ weight: 20, arbitrary: nothing }, { weight: 1, arbitrary: raw });
  if (good === null) return fc.oneof({ weight: 6, arbitrary: nothing }, { weight: 1, arbitrary: raw });
  return fc.oneof(
    { weight: 10, arbitrary: good.map(json) },
    { weight: 7, arbitrary: nearlyOf(good).map(json) },
    { weight: 3, arbitrary: raw },
    { weight: 1, arbitrary: good.chain((value) => packed(textOf(value))) },
    { weight: 1, arbitrary: nothing },
  );
}

/** Mostly somebody who may. */
function whoFor({ security, description }: Operation): fc.Arbitrary<Who> {
  const scope = /the scope `(\w+)`/.exec(description)?.[1];
  const usual: Readonly<Record<string, readonly Who[]>> = { work: ["bob"], admin: ["admin"] };
  const some = security.length === 0 ? (["machine"] as const) : (usual[scope ?? ""] ?? SENDERS);
  return fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom<Who>(...some) },
    { weight: 1, arbitrary: fc.constantFrom<Who>(...SENDERS) },
    { weight: 1, arbitrary: fc.constantFrom<Who>(...OTHERS) },
  );
}

/** Requests for this operation. `addresses`: where the server may send something. */
export function requestsFor(operation: Operation, addresses: readonly string[]): fc.Arbitrary<Plan> {
  const { parameters } = operation;
  const params = parameters.filter((one) => one.in === "path").map((one) => [one.name, pathParam(one)] as const);
  const query = parameters.filter((one) => one.in === "query").map(queryParam);
  const methods = fc.oneof(
    { weight: 40, arbitrary: fc.constant(operation.method) },
    { weight: 1, arbitrary: fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD") },
  );
  return fc
    .record({
      method: methods,
      params: fc.record(Object.fromEntries(params)),
      query: fc.tuple(...query).map((all) => all.flat()),
      sent: bodyFor(operation, addresses),
      odd: fc.oneof(
        { weight: 4, arbitrary: fc.constant([]) },
        { weight: 2, arbitrary: fc.array(oddHeader, { minLength: 1, maxLength: 3 }) },
      ),
      who: whoFor(operation),
      as: fc.constantFrom("x-api-key", "x-api-key", "bearer", "both"),
    })
    .map(({ sent, odd, ...plan }) => {
      const headers = [...sent.headers, ...odd];
      // the whole operation would fill the screen
      const printed = { [fc.toStringMethod]: () => `${plan.method} ${operation.path}` };
      return { ...plan, ...printed, operation, body: sent.body, headers };
    });
}
