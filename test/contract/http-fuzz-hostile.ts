/** Hostile paths, bodies and headers for the fuzzing of the API. */
import fc from "fast-check";
import { learned, type Told } from "./http-fuzz-observed.ts";

/** Segments of a path as they are sent: ways out of it, what is not text, and names that mean something elsewhere. */
const HOSTILE_SEGMENTS: readonly string[] = [
  ...[
    "..",
    ".",
    "%2e%2e",
    "..%2f..%2fetc%2fhosts",
    "%2e%2e%2f%2e%2e%2fx",
    "..%5c..%5cx",
    "%00",
    "a%00.json",
    "%",
    "%zz",
    "%c3%28",
  ],
  ...["%ff", "%ed%a0%80", "%f0%9f%98%80", "a%2fb", "a%252fb", "", "%20", "-1", "0", "999999999999999", "1e3", "NaN"],
  ...[
    "__proto__",
    "constructor",
    "toString",
    "self",
    "default",
    "status",
    "pull",
    "run",
    "keys.json",
    "a;b",
    "a?b",
    "a%3fb",
    "a%23b",
  ],
  ...[
    "x".repeat(300),
    "1".repeat(16),
    "octocat%2Fhello-world",
    "octocat%2f..",
    "nobody%2Fnothing",
    "AB12CD34",
    "zzzzzzzz",
  ],
];
/** Of a path, as it is sent. */
export const segment: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...HOSTILE_SEGMENTS) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", minLength: 1, maxLength: 12 }).map(encodeURIComponent) },
);

export const HOSTILE_BODIES: readonly (string | Buffer)[] = [
  ...[
    "",
    " ",
    "{",
    "}",
    "null",
    "[]",
    "[[[]]]",
    '"text"',
    "0",
    "true",
    "{}",
    "{}{}",
    '{"a":1,}',
    "{'a':1}",
    "NaN",
    "\ufeff{}",
  ],
  ...["a=b&c=d", "<a/>", "--x\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n--x--", '{"job":1,"job":"twice"}'],
  ...[
    "[".repeat(100_000),
    '{"a":'.repeat(50_000),
    `{"x":"${"x".repeat(1_100_000)}"}`,
    '{"\ud800":"\udfff"}',
    '{"":""}',
  ],
  ...[Buffer.from([0xff, 0xfe, 0x7b, 0x00]), Buffer.from('{"prompt":"\xff\xc3"}', "latin1"), Buffer.alloc(64)],
];

const TYPES = [
  ...["application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""],
  ...[
    "application/json; charset=utf-16",
    "application/json; charset=latin1",
    "application/json; charset=none",
    ";;;=",
    "a/b; c",
  ],
];

export type Header = readonly [string, Told];

const header = (name: string, value: fc.Arbitrary<Told>): fc.Arbitrary<Header> => value.map((one) => [name, one]);

const ODD_VALUES: readonly string[] = [
  ...[
    "",
    " ",
    "a",
    "*",
    '"',
    "\xff\xfe",
    "a b",
    "a\tb",
    "null",
    "-1",
    "0.0.0",
    "9e9.1.1",
    "1.0.0",
    "99999999999999999999",
  ],
  ...[
    "__proto__",
    "x".repeat(255),
    "y".repeat(256),
    "z".repeat(8_000),
    "%00",
    "../../x",
    "<b>",
    "1.1.1.1, 2.2.2.2",
    "::1",
  ],
];

/** Headers that mean something to somebody on the way, and nothing good. */
export const oddHeader: fc.Arbitrary<Header> = fc.oneof(
  header("Idempotency-Key", fc.constantFrom(...ODD_VALUES, "again", "again", "once")),
  header("Last-Event-ID", fc.oneof(fc.constantFrom(...ODD_VALUES), learned(5))),
  header("If-None-Match", fc.oneof(fc.constantFrom(...ODD_VALUES), learned(5))),
  header("Range", fc.constantFrom("bytes=0-1", "bytes=-1", "bytes=9-1", "lines=1")),
  header("Accept", fc.constantFrom("*/*", "text/html", "image/png;q=x", "")),
  header("Accept-Encoding", fc.constantFrom("gzip", "br;q=0, identity;q=0", "none")),
  header("Content-Type", fc.constantFrom(...TYPES)),
  header("Content-Encoding", fc.constantFrom("gzip", "deflate", "br", "compress", "gzip, gzip", "none", "")),
  header("X-Request-Id", fc.constantFrom(...ODD_VALUES)),
  header("Stripe-Signature", fc.constantFrom("t=1,v1=good", "t=1,v1=forged", ...ODD_VALUES)),
  header("Cookie", fc.constantFrom("a=b", "=", ";;;", "__Host-x=%zz")),
  header("X-HTTP-Method-Override", fc.constantFrom("DELETE", "GET")),
);
