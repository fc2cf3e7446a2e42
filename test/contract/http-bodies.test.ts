/** Request bodies: compressed or not, complete or not, and the errors for those that cannot be read. */
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { API_KEY, startServer, type TestServer } from "./http-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

async function send(body: Uint8Array<ArrayBuffer>, packed: string) {
  const headers = { "x-api-key": API_KEY, "content-encoding": packed };
  const response = await fetch(`${server.url}/api/keys`, { method: "POST", headers, body });
  const { error, code }: { error?: string; code?: string } = Object(await response.json());
  return { status: response.status, code, error };
}

const TEXT = JSON.stringify({ account: "octocat", repository: "*", scopes: ["read"] });
/** Long enough that half of it is no whole. */
const LONG = JSON.stringify({ account: "octocat", scopes: ["read"], more: Array.from({ length: 500 }, (_, at) => at) });

describe("a packed body", () => {
  it.each([
    ["gzip", gzipSync(TEXT)],
    ["deflate", deflateSync(TEXT)],
    ["br", brotliCompressSync(TEXT)],
  ])("is read as what is in it (%s)", async (packed, body) => {
    expect(await send(new Uint8Array(body), packed)).toMatchObject({ status: 201 });
  });

  it.each(["gzip", "deflate", "br"])("that is not packed as it says is the caller's mistake (%s)", async (packed) => {
    const answer = await send(new Uint8Array(Buffer.from(TEXT)), packed);
    expect(answer).toMatchObject({ status: 415, code: "unsupported_encoding" });
    expect(answer.error).toContain("Content-Encoding");
  });

  it.each([
    ["gzip", gzipSync(LONG)],
    ["br", brotliCompressSync(LONG)],
  ])("that breaks off is the caller's mistake (%s)", async (packed, body) => {
    const half = new Uint8Array(body.subarray(0, body.length / 2));
    expect(await send(half, packed)).toMatchObject({ status: 415, code: "unsupported_encoding" });
  });

  it("is as large as what is in it", async () => {
    const answer = await send(new Uint8Array(gzipSync(Buffer.alloc(3_000_000, " "))), "gzip");
    expect(answer).toMatchObject({ status: 413, code: "body_too_large" });
  });
});
