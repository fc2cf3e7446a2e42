/**
 * Generates values for the fuzzing from the JSON Schemas of the API's description: valid and almost valid ones.
 * Independent of routes.
 */
import fc from "fast-check";
import * as z from "zod";
import type { Schema } from "./description.ts";

const schemaOf = (given: unknown): Schema => z.record(z.string(), z.unknown()).catch({}).parse(given);
const numberOf = (given: unknown, otherwise: number): number => (typeof given === "number" ? given : otherwise);
const listOf = (given: unknown): readonly unknown[] => (Array.isArray(given) ? given : []);

/** Stands for a number that JSON can write and JavaScript cannot hold. */
const ENDLESS = "@1e999@";

/** Stands for a value that is too deep to be printed, which would hide what was found with it. */
const DEEP = "@deep@";

const nested = (depth: number): string => `${'{"a":['.repeat(depth)}1${"]}".repeat(depth)}`;

/** A value as the text of a body. */
export const textOf = (value: unknown): string =>
  (JSON.stringify(value) ?? "").replaceAll(`"${ENDLESS}"`, "1e999").replaceAll(`"${DEEP}"`, nested(800));

const HOSTILE_STRINGS: readonly string[] = [
  ...[
    "",
    " ",
    "\u0000",
    "a\u0000b",
    "\ud800",
    "x\udc00y",
    "\ud83d\ude00",
    "\u202eabc",
    "\ufeff",
    "e\u0301",
    "ß".repeat(50),
  ],
  ...["NaN", "Infinity", "-1", "0", "1e3", "0x10", "null", "undefined", "true", "[object Object]", "{{7*7}}"],
  ...[
    "../../../../etc/hosts",
    "..\\..\\x",
    ".git/config",
    ".github/workflows/x.yml",
    "-rf",
    "a\r\nX-Injected: 1",
    "'; --",
  ],
  ...[
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "<script>alert(1)</script>",
    "%00",
    "%s%n",
    "\n/job cancel",
  ],
  ...["http://", "https://[::", "https://a:b@c", "javascript:1", "9999-99-99", "+275760-09-14", "2030-01-31T99:00:00Z"],
  ...["x".repeat(201), "y".repeat(5_000), "z".repeat(70_000)],
];

export const hostileString = fc.oneof(
  fc.constantFrom(...HOSTILE_STRINGS),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.string({ unit: "grapheme", maxLength: 20 }),
);

const HOSTILE_TEXTS: readonly string[] = [
  ...["null", "true", "false", "0", "-0", "-1", "1.5", "1e308", "-1e308", "9007199254740993", "1e-320", "2147483648"],
  ...["[]", "{}", "[[]]", "[null]", '[{"a":1}]', '{"length":3}', '{"0":"a","1":"b"}', '{"toString":1,"valueOf":null}'],
  ...['{"__proto__":{"admin":true}}', '{"constructor":{"prototype":{"admin":true}}}', '{"then":1,"toJSON":"x"}'],
  ...[nested(20), JSON.stringify(Array(2_000).fill(0))],
];

/** Whatever no schema asks for. */
const hostile: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...HOSTILE_TEXTS).map((text): unknown => JSON.parse(text)) },
  { weight: 2, arbitrary: hostileString },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(ENDLESS, DEEP, -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER) },
);

const WORDS = fc.constantFrom("say hello", "Research the history of Unix", "a", "octocat", "Fix it — naïvely 🙂");

function stringFor(schema: Schema, addresses: readonly string[]): fc.Arbitrary<string> {
  if (schema.format === "uri") return fc.constantFrom(...addresses);
  if (schema.format === "date-time") return fc.constant("2030-01-31T12:00:00.000Z");
  const pattern = typeof schema.pattern === "string" ? new RegExp(schema.pattern) : null;
  const most = numberOf(schema.maxLength, 64);
  const least = numberOf(schema.minLength, 0);
  const fits = (text: string): boolean => text.length <= most && text.length >= least && pattern?.test(text) !== false;
  if (pattern !== null && !fits("say hello")) return fc.stringMatching(pattern, { size: "-1" }).filter(fits);
  const short = fc.string({ unit: "binary", minLength: least, maxLength: Math.min(least + 20, Math.floor(most / 2)) });
  return fc.oneof(
    { weight: 6, arbitrary: WORDS.filter(fits) },
    { weight: 3, arbitrary: short.filter(fits) },
    { weight: 1, arbitrary: fc.constantFrom("x".repeat(most), "x".repeat(Math.max(1, least))) },
  );
}

function numberFor(schema: Schema): fc.Arbitrary<number> {
  const least =
    schema.exclusiveMinimum === undefined ? numberOf(schema.minimum, -100) : numberOf(schema.exclusiveMinimum, 0) + 1;
  const most = numberOf(schema.maximum, 1_000_000);
  return fc.oneof(fc.integer({ min: least, max: Math.min(most, least + 100_000) }), fc.constantFrom(least, most));
}

function arrayFor(schema: Schema, addresses: readonly string[]): fc.Arbitrary<unknown> {
  const items = validOf(schemaOf(schema.items), addresses);
  const [least, most] = [numberOf(schema.minItems, 0), numberOf(schema.maxItems, 5)];
  const short = fc.array(items, { minLength: least, maxLength: Math.min(most, Math.max(least, 3)) });
  const full = items.map((item) => Array<unknown>(most).fill(item));
  return fc.oneof({ weight: 9, arbitrary: short }, { weight: 1, arbitrary: full });
}

function objectFor(schema: Schema, addresses: readonly string[]): fc.Arbitrary<unknown> {
  const properties = Object.entries(schemaOf(schema.properties));
  if (properties.length === 0 && typeof schema.additionalProperties === "object") {
    const names = validOf({ type: "string", ...schemaOf(schema.propertyNames) }, addresses).map(String);
    return fc.dictionary(names, validOf(schemaOf(schema.additionalProperties), addresses), { maxKeys: 4 });
  }
  const shape = Object.fromEntries(properties.map(([name, one]) => [name, validOf(schemaOf(one), addresses)]));
  const requiredKeys = listOf(schema.required).map(String);
  return fc.record(shape, { requiredKeys, noNullPrototype: true });
}

/** Values that the schema allows. `addresses`: what a URL may be, since some are written to. */
export function validOf(schema: Schema, addresses: readonly string[]): fc.Arbitrary<unknown> {
  const choices = [...listOf(schema.anyOf), ...listOf(schema.oneOf)].map(schemaOf);
  if (choices.length > 0) return fc.oneof(...choices.map((one) => validOf(one, addresses)));
  const values = listOf(schema.enum);
  if (values.length > 0) return fc.constantFrom(...values);
  if (Array.isArray(schema.type))
    return fc.oneof(...schema.type.map((type) => validOf({ ...schema, type }, addresses)));
  switch (schema.type) {
    case "string":
      return stringFor(schema, addresses);
    case "integer":
    case "number":
      return numberFor(schema);
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "array":
      return arrayFor(schema, addresses);
    case "object":
      return objectFor(schema, addresses);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

type Slip =
  | { readonly kind: "left out" }
  | { readonly kind: "instead"; readonly value: unknown }
  | { readonly kind: "in a list" }
  | { readonly kind: "in an object" }
  | { readonly kind: "longer" }
  | { readonly kind: "beside"; readonly name: string; readonly value: unknown };

const slip: fc.Arbitrary<Slip> = fc.oneof(
  fc.constant<Slip>({ kind: "left out" }),
  fc.constant<Slip>({ kind: "in a list" }),
  fc.constant<Slip>({ kind: "in an object" }),
  fc.constant<Slip>({ kind: "longer" }),
  { weight: 5, arbitrary: hostile.map((value): Slip => ({ kind: "instead", value })) },
  fc
    .tuple(fc.constantFrom("__proto__", "constructor", "toString", "id", "account", "scopes", "then"), hostile)
    .map(([name, value]): Slip => ({ kind: "beside", name, value })),
);

/** One more, or as much again: what lies just behind a bound. */
function longer(value: unknown): unknown {
  if (typeof value === "string") return `${value}${value}x`;
  if (typeof value === "number") return value + 1;
  if (Array.isArray(value)) return [...value, ...value, ...value.slice(0, 1)];
  return value;
}

function slipped(value: unknown, how: Slip): unknown {
  switch (how.kind) {
    case "left out":
      return undefined;
    case "instead":
      return how.value;
    case "in a list":
      return [value];
    case "in an object":
      return { value };
    case "longer":
      return longer(value);
    case "beside": {
      if (typeof value !== "object" || value === null || Array.isArray(value)) return [value, how.value];
      const named = `{${JSON.stringify(how.name)}:0}`;
      // an own property, which an assignment to `__proto__` would not make
      const added: unknown = JSON.parse(named, (key, one) => (key === how.name ? how.value : one));
      return Object.create(null, {
        ...Object.getOwnPropertyDescriptors(value),
        ...Object.getOwnPropertyDescriptors(Object(added)),
      });
    }
    default:
      return how satisfies never;
  }
}

/** How many places there are in a value in which something can be wrong. */
function placesIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  return 1 + Object.values(value).reduce((sum: number, one) => sum + placesIn(one), 0);
}

/** The value with a slip in that place of it. */
function slippedAt(value: unknown, place: number, how: Slip): unknown {
  if (place === 0) return slipped(value, how);
  if (typeof value !== "object" || value === null) return value;
  let left = place - 1;
  const changed = Object.entries(value).map(([name, one]): readonly [string, unknown] => {
    const own = placesIn(one);
    const here = left >= 0 && left < own ? slippedAt(one, left, how) : one;
    left -= own;
    return [name, here];
  });
  if (Array.isArray(value)) return changed.map(([, one]) => one);
  return Object.fromEntries(changed.filter(([, one]) => one !== undefined));
}

/** Values that are allowed but for one or two slips, anywhere in them. */
export const nearlyOf = (valid: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc
    .tuple(valid, fc.array(fc.tuple(fc.nat(), slip), { minLength: 1, maxLength: 2 }))
    .map(([value, slips]) => slips.reduce((one, [at, how]) => slippedAt(one, at % placesIn(one), how), value));
