import { createServer, type IncomingMessage, request, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { ProxyAgent, fetch as throughAgent } from "undici";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type AllowList, createAllowList, type Target } from "../../agent/gateway/allow-list.ts";
import { INTERNET } from "../../agent/gateway/dial.ts";
import { createProxy } from "../../agent/gateway/proxy.ts";
import { Refusals } from "../../agent/gateway/refusals.ts";
import { type Serving, startServer } from "../../agent/gateway/server.ts";
import { refusalsSchema } from "../../src/contracts/egress.ts";
import { isPublic } from "../../src/contracts/public-address.ts";

/** An address of this machine that stands for the internet; all others are what they are. */
const OUTSIDE = "127.0.0.2";

interface Seen {
  readonly at: string;
  readonly request: IncomingMessage;
  readonly body: string;
}

const closing: (() => unknown)[] = [];
let seen: Seen[];
let outside: Server;
let port: number;
let provider: Target;
let said: string[];
let names: Record<string, string[]>;
let proxy: Serving;

async function serve(address: string, at = 0): Promise<Server> {
  const server = createServer(async (asked, answer) => {
    const body = await text(asked);
    seen.push({ at: address, request: asked, body });
    answer.writeHead(200, { "set-cookie": ["a=1", "b=2"], connection: "x-own", "x-own": "1", "x-kept": "2" });
    answer.end(`${address} got ${body.length}`);
  });
  await new Promise<void>((resolve) => server.listen(at, address, resolve));
  closing.push(
    () => server.close(),
    () => server.closeAllConnections(),
  );
  return server;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

/** A port of this machine that anybody may open stands for 443. */
const standing =
  (allows: AllowList): AllowList =>
  (target) =>
    allows(target.port === port ? { ...target, port: 443 } : target);

async function startWith(allows: AllowList): Promise<Serving> {
  const dialPorts = {
    ...INTERNET,
    resolve: async (host: string) => {
      const found = names[host];
      if (found === undefined) throw Object.assign(new Error("unknown"), { code: "ENOTFOUND" });
      return found.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
    },
    mayReach: (address: string) => address === OUTSIDE || isPublic(address),
  };
  const refusals = new Refusals((sentence) => said.push(sentence));
  const parts = createProxy({ allows, dialPorts, onRefusal: (reason) => refusals.add(reason) });
  const started = await startServer({ endpoint: null, proxy: parts, refusals, print: () => {} }, "127.0.0.1");
  closing.push(() => started.close());
  return started;
}

beforeEach(async () => {
  seen = [];
  said = [];
  names = { "good.example.org": [OUTSIDE], "a.below.example.org": [OUTSIDE] };
  outside = await serve(OUTSIDE);
  port = portOf(outside);
  provider = { host: "127.0.0.1", port: portOf(await serve("127.0.0.1")) };
  proxy = await startWith(standing(createAllowList(["good.example.org", "*.below.example.org"], provider)));
});

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

interface Answered {
  readonly status: number;
  readonly said: string;
}

/** CONNECT, and then a request through the tunnel if there is one. */
function tunnel(target: string): Promise<Answered & { readonly socket: Socket }> {
  return new Promise((resolve, reject) => {
    const asking = request({ host: "127.0.0.1", port: proxy.port, method: "CONNECT", path: target });
    asking.once("error", reject);
    asking.once("connect", (answer, socket, head) => {
      closing.push(() => socket.destroy());
      const status = answer.statusCode ?? 0;
      if (status === 200) return resolve({ status, said: "", socket });
      let rest = head.toString();
      socket
        .on("data", (chunk: Buffer) => (rest += chunk.toString()))
        .once("end", () => resolve({ status, said: rest, socket }));
    });
    asking.end();
  });
}

/** Plain HTTP through the proxy. */
function plain(url: string, headers: Record<string, string> = {}, body = "", method = "POST"): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const asking = request({ host: "127.0.0.1", port: proxy.port, method, path: url, headers }, async (answer) =>
      resolve({ status: answer.statusCode ?? 0, said: await text(answer) }),
    );
    asking.once("error", reject);
    asking.end(body);
  });
}

/** Bytes as they stand, on a connection of their own. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(proxy.port, "127.0.0.1", () => socket.end(bytes));
    let answer = "";
    socket.on("data", (chunk: Buffer) => (answer += chunk.toString()));
    socket.once("error", reject).once("close", () => resolve(answer));
  });
}

const refusals = async (after = 0) =>
  refusalsSchema.parse(await (await fetch(`http://127.0.0.1:${proxy.port}/refusals?after=${after}`)).json()).refusals;

describe("what is let through", () => {
  test.each(["good.example.org", "GOOD.example.org", "good.example.org.", "a.below.example.org"])(
    "%s, by CONNECT and by plain HTTP",
    async (host) => {
      const agent = new ProxyAgent(`http://127.0.0.1:${proxy.port}`);
      closing.push(() => agent.destroy());
      names["good.example.org."] = [OUTSIDE];
      const body = "x".repeat(3_000_000);
      const answer = await throughAgent(`http://${host}:${port}/deep`, { method: "POST", body, dispatcher: agent });
      expect(await answer.text()).toBe(`${OUTSIDE} got 3000000`);
      expect(await plain(`http://${host}:${port}/x?y=1`, {}, "12345")).toEqual({
        status: 200,
        said: `${OUTSIDE} got 5`,
      });
      expect(seen.map(({ request: asked }) => asked.url)).toEqual(["/deep", "/x?y=1"]);
      expect(said).toEqual([]);
    },
  );

  test("the model's provider, wherever it is, at its own port alone", async () => {
    const at = `127.0.0.1:${provider.port}`;
    expect((await tunnel(at)).status).toBe(200);
    expect((await plain(`http://${at}/v1/messages`)).status).toBe(200);
    const other = await tunnel("127.0.0.1:443");
    expect(other).toMatchObject({ status: 403, said: expect.stringContaining("is an IP address") });
  });

  test("a request without what was meant for the proxy, under the name that was judged", async () => {
    const headers = {
      host: "evil.example.org",
      connection: "x-mine",
      "x-mine": "1",
      "proxy-authorization": "Basic x",
      "x-kept": "2",
    };
    await plain(`http://user:secret@good.example.org:${port}/a`, { ...headers, upgrade: "websocket" }, "abc");
    expect(seen[0]?.request.headers).toEqual({
      host: `good.example.org:${port}`,
      connection: "close",
      "content-length": "3",
      "x-kept": "2",
    });
    expect(seen[0]?.request.url).toBe("/a");
  });

  test("of several addresses those alone that are on the internet", async () => {
    await serve("127.0.0.1", port);
    names["good.example.org"] = ["127.0.0.1", "10.0.0.1", OUTSIDE];
    expect((await plain(`http://good.example.org:${port}/`)).said).toContain(OUTSIDE);
    expect(seen.map(({ at }) => at)).toEqual([OUTSIDE]);
  });
});

describe("what is refused, with a sentence", () => {
  test.each([
    "other.example.org",
    "example.org",
    "below.example.org",
    "xgood.example.org",
    "good.example.org.evil.com",
    "localhost",
  ])("%s, which is not on the list", async (host) => {
    const sentence = `Blocked: ${host} is not an allowed host; to allow it, add it to \`egress\` in .github/journeyman.yml on the default branch.`;
    expect(await tunnel(`${host}:443`)).toMatchObject({ status: 403, said: `${sentence}\n` });
    expect(await plain(`http://${host}/`)).toEqual({ status: 403, said: `${sentence}\n` });
    expect(said).toEqual([sentence]);
  });

  test.each(["8.8.8.8", "127.0.0.1", "[::1]", "[2606:4700::1111]", "[::ffff:127.0.0.1]", "169.254.169.254"])(
    "the address %s, on the internet or not",
    async (host) => {
      expect(await tunnel(`${host}:443`)).toMatchObject({
        status: 403,
        said: expect.stringContaining("only host names can be allowed"),
      });
      expect(await plain(`http://${host}/`)).toMatchObject({
        status: 403,
        said: expect.stringContaining("is an IP address"),
      });
    },
  );

  test.each(["2130706433", "0x7f.1", "127.1", "0x7f000001", "1.2.3.0x4"])(
    "the address %s in disguise, where nothing would resolve it",
    async (host) => {
      names[host] = [OUTSIDE];
      expect(await tunnel(`${host}:443`)).toMatchObject({
        status: 403,
        said: expect.stringContaining("is an IP address"),
      });
    },
  );

  test.each([22, 25, 8080, 65_535])("port %i of a host on the list", async (other) => {
    expect(await tunnel(`good.example.org:${other}`)).toMatchObject({
      status: 403,
      said: expect.stringContaining(`at ports 80 and 443, not at ${other}`),
    });
  });

  test.each([
    "127.0.0.1",
    "10.1.2.3",
    "192.168.0.1",
    "172.17.0.1",
    "169.254.169.254",
    "168.63.129.16",
    "100.64.0.1",
    "::1",
    "fd00:ec2::254",
    "fe80::1",
    "::ffff:10.0.0.1",
    "0.0.0.0",
  ])("a name of the list that leads to %s", async (address) => {
    names["good.example.org"] = [address];
    const sentence = `Blocked: good.example.org leads to ${address}, which is not on the public internet.`;
    expect(await tunnel(`good.example.org:${port}`)).toMatchObject({ status: 403, said: `${sentence}\n` });
    expect(await plain(`http://good.example.org:${port}/`)).toEqual({ status: 403, said: `${sentence}\n` });
    expect(said).toEqual([sentence]);
    expect(seen).toEqual([]);
  });

  test("an address that no look-up has judged, at the socket itself", async () => {
    proxy = await startWith(() => ({ ok: true, anywhere: false }));
    expect(await tunnel(`127.0.0.1:${provider.port}`)).toMatchObject({
      status: 403,
      said: expect.stringContaining("leads to 127.0.0.1, which is not on the public internet"),
    });
    expect(seen).toEqual([]);
  });

  test("and each refusal is told once, in order, to whoever asks what is new", async () => {
    for (const host of ["one.example.org", "two.example.org", "one.example.org"]) await tunnel(`${host}:443`);
    await plain("http://three.example.org/");
    const all = await refusals();
    expect(all.map(({ seq, sentence }) => [seq, sentence.split(" ")[1]])).toEqual([
      [1, "one.example.org"],
      [2, "two.example.org"],
      [3, "three.example.org"],
    ]);
    expect(await refusals(2)).toEqual(all.slice(2));
    expect(await refusals(3)).toEqual([]);
  });

  test("what a name may do to a log is taken out of it", async () => {
    await raw("CONNECT a$(c)'!.example.org:443 HTTP/1.1\r\nhost: x\r\n\r\n");
    expect(said).toEqual([expect.stringMatching(/^Blocked: a\?\?c\?\?\?\.example\.org is not an allowed host/)]);
  });
});

describe("what goes wrong", () => {
  test("a name that nobody knows and a port where nobody listens are told apart from refusals", async () => {
    proxy = await startWith(() => ({ ok: true, anywhere: true }));
    names["shut.example.org"] = ["127.0.0.1"];
    const free = portOf(await serve("127.0.0.1"));
    await Promise.all(closing.splice(-2).map((close) => close()));
    expect(await tunnel("nowhere.example.org:443")).toMatchObject({
      status: 502,
      said: "nowhere.example.org:443 could not be reached: the name is not known.\n",
    });
    expect(await plain(`http://shut.example.org:${free}/`)).toEqual({
      status: 502,
      said: `shut.example.org:${free} could not be reached: the connection was refused.\n`,
    });
    expect(await refusals()).toEqual([]);
  });

  test.each([
    ["CONNECT good.example.org HTTP/1.1\r\nhost: x\r\n\r\n", 400],
    ["CONNECT good.example.org:0 HTTP/1.1\r\nhost: x\r\n\r\n", 400],
    ["CONNECT good.example.org:99999 HTTP/1.1\r\nhost: x\r\n\r\n", 400],
    ["CONNECT user@good.example.org:443 HTTP/1.1\r\nhost: x\r\n\r\n", 400],
    ["GET //[ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\nhost: good.example.org\r\nconnection: close\r\n\r\n", 400],
    ["GET /refusals?after=-1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", 400],
    ["GET ftp://good.example.org/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", 400],
    ["GET https://good.example.org/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", 400],
    ["\u0000\u0001\u0002\r\n\r\n", 400],
  ])("%j is answered with %i and harms nobody else", async (bytes, status) => {
    expect(await raw(bytes)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect((await tunnel(`good.example.org:${port}`)).status).toBe(200);
  });

  test("an answer that is none is a 502", async () => {
    outside.removeAllListeners("request");
    outside.on("connection", (socket: Socket) => socket.end("HTTP/1.1 000 what\r\ncontent-length: 0\r\n\r\n"));
    expect((await plain(`http://good.example.org:${port}/`)).status).toBe(502);
  });

  test("whoever breaks off takes the other side along", async () => {
    let server: Socket | undefined;
    outside.on("connection", (socket: Socket) => (server = socket));
    const { socket } = await tunnel(`good.example.org:${port}`);
    socket.write("GET / HTTP/1.1\r\n");
    await vi.waitFor(() => expect(server?.bytesRead).toBeGreaterThan(0), { timeout: 10_000 });
    socket.destroy();
    await vi.waitFor(() => expect(server?.destroyed).toBe(true), { timeout: 10_000 });
    const { socket: second } = await tunnel(`good.example.org:${port}`);
    second.on("error", () => {});
    second.write("GET / HTTP/1.1\r\n");
    await vi.waitFor(() => expect(server?.bytesRead).toBeGreaterThan(0), { timeout: 10_000 });
    server?.resetAndDestroy();
    await vi.waitFor(() => expect(second.destroyed).toBe(true), { timeout: 10_000 });
  });

  test("one side may have said all that it has while the other still answers", async () => {
    const { socket } = await tunnel(`good.example.org:${port}`);
    socket.end("POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi");
    expect(await text(socket)).toContain(`${OUTSIDE} got 2`);
  });
});

describe("a host whose answer is none", () => {
  test.each([
    ["another protocol", "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", 502],
    ["nothing, at some length", "HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nhello", 204],
    ["what is no HTTP", "hello\r\n\r\n", 502],
    ["nothing at all", "", 502],
  ])("%s, is answered", async (_, bytes, status) => {
    outside.removeAllListeners("request");
    outside.on("connection", (socket) => {
      socket.removeAllListeners("data");
      socket.on("error", () => {}).once("data", () => socket.end(bytes));
    });
    expect(await plain(`http://good.example.org:${port}/`, {}, "", "GET")).toMatchObject({ status });
  });
});
