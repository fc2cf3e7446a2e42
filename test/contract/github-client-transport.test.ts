/** Calls over real sockets: what Octokit reads of an answer, and what happens without one. */

import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { gzipSync } from "node:zlib";
import { afterEach, expect, it } from "vitest";
import { transport } from "../../src/github/client/transport.ts";

let server: Server | null = null;
let sockets = 0;

async function serve(listener: RequestListener): Promise<string> {
  sockets = 0;
  server = createServer(listener).on("connection", () => sockets++);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return `http://127.0.0.1:${address.port}`;
}

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

it("hands over status, headers and body, and sends a body with its length in bytes", async () => {
  const url = await serve(async (request, response) => {
    const text = Buffer.concat(await request.toArray()).toString();
    response.writeHead(201, { "content-type": "application/json", "x-kind": "a" });
    response.end(JSON.stringify({ text, length: request.headers["content-length"], method: request.method }));
  });
  const answer = await transport(`${url}/x`, { method: "POST", headers: { "x-asked": "1" }, body: "schön" });
  expect(answer.status).toBe(201);
  expect(answer.headers.get("x-kind")).toBe("a");
  expect([...answer.headers].map(([name]) => name)).toContain("content-type");
  expect(await answer.json()).toEqual({ text: "schön", length: "6", method: "POST" });
});

it("makes calls one after the other on one connection", async () => {
  const url = await serve((_request, response) => response.end("{}"));
  for (let n = 0; n < 5; n++) await transport(url, {});
  expect(sockets).toBe(1);
});

it("unpacks what is packed, and rejects what cannot be unpacked", async () => {
  const url = await serve((request, response) => {
    response.writeHead(200, { "content-encoding": "gzip", "content-type": "text/plain" });
    response.end(request.url === "/good" ? gzipSync("long ".repeat(1000)) : "no gzip at all");
  });
  expect(await (await transport(`${url}/good`, {})).text()).toBe("long ".repeat(1000));
  await expect(transport(`${url}/bad`, {})).rejects.toThrow();
});

it("follows a redirect with method and body, as a renamed repository answers", async () => {
  const url = await serve(async (request, response) => {
    if (request.url === "/old") {
      response.writeHead(307, { location: "/new" }).end();
      return;
    }
    const text = Buffer.concat(await request.toArray()).toString();
    response.end(`${request.method} ${request.url} ${request.headers["x-asked"]} ${text}`);
  });
  const answer = await transport(`${url}/old`, { method: "PATCH", headers: { "x-asked": "1" }, body: "b" });
  expect(await answer.text()).toBe("PATCH /new 1 b");
});

it("asks for what is sent on once, is told before it asks GitHub again, and brings its credentials nowhere else", async () => {
  const asked: string[] = [];
  const listener: RequestListener = (request, response) => {
    asked.push(`${request.url} ${request.headers.authorization ?? "nobody"}`);
    if (request.url === "/logs") response.writeHead(302, { location: "/there" }).end();
    else if (request.url === "/away") response.writeHead(302, { location: `${elsewhere}/blob` }).end();
    else if (request.url === "/round") response.writeHead(302, { location: "/round" }).end();
    else response.end("the log");
  };
  const other = createServer(listener);
  other.listen(0, "127.0.0.1");
  await once(other, "listening");
  const address = other.address();
  const elsewhere = typeof address === "object" ? `http://127.0.0.1:${address?.port}` : "";
  const url = await serve(listener);
  let counted = 0;
  const another = async (): Promise<void> => void counted++;
  const from = (path: string) => transport(`${url}${path}`, { headers: { authorization: "token t" } }, another);
  try {
    expect(await (await from("/logs")).text()).toBe("the log");
    expect([asked.splice(0), counted]).toEqual([["/logs token t", "/there token t"], 1]);
    expect(await (await from("/away")).text()).toBe("the log");
    expect([asked.splice(0), counted]).toEqual([["/away token t", "/blob nobody"], 1]);
    await expect(from("/round")).rejects.toThrow("too many redirects");
    expect(asked.length).toBeLessThan(6);
  } finally {
    other.close();
  }
});

it("rejects when the connection is cut before or within the answer, and when the caller gives up", async () => {
  const url = await serve((request, response) => {
    if (request.url === "/before") request.socket.destroy();
    if (request.url === "/within") {
      response.writeHead(200, { "content-length": "100" });
      response.write("half", () => request.socket.destroy());
    }
  });
  await expect(transport(`${url}/before`, {})).rejects.toThrow();
  await expect(transport(`${url}/within`, {})).rejects.toThrow();
  const given_up = AbortSignal.abort();
  await expect(transport(`${url}/silent`, { signal: given_up })).rejects.toMatchObject({ name: "AbortError" });
});
