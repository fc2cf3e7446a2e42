/** A runner whose network is left through an HTTP proxy alone: the step's own calls and the gateway's find it. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type RequestListener, setGlobalProxyFromEnv } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { setDefaultCACertificates } from "node:tls";
import { expect, onTestFinished, test, vi } from "vitest";
import { callProvider } from "../../agent/gateway/provider-call.ts";
import { runnerProxy } from "../../agent/runner-proxy.ts";
import { BRIEF, JOB_ID } from "../unit/agent-job.ts";
import { Runner } from "./action-runner.ts";
import { startProgram } from "./agent-program.ts";
import { FakeApp } from "./fake-app.ts";
import { pathOf } from "./read-markdown.ts";

const CERTIFICATE = pathOf("test/fixtures/tls/certificate.pem");

const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port;

interface Proxy {
  readonly url: string;
  /** Where somebody wanted to go. */
  readonly targets: string[];
}

/** Knows every host, and leads all of them to that port of this machine. */
async function startProxy(port?: number): Promise<Proxy> {
  const targets: string[] = [];
  const server = createServer((_, answer) => answer.writeHead(400).end());
  server.on("connect", ({ url = "" }, client, first) => {
    targets.push(url);
    const behind = connect(port ?? Number(url.split(":")[1]), "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      behind.write(first);
      behind.pipe(client).pipe(behind);
    });
    for (const side of [client, behind]) side.on("error", () => [client, behind].map((one) => one.destroy()));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${portOf(server)}`, targets };
}

test("the step asks for its identity, and tells and hands in, through the proxy", async () => {
  const fakeApp = await FakeApp.open();
  const runner = new Runner({}, { brief: { app_url: fakeApp.url } });
  onTestFinished(async () => {
    runner.remove();
    await fakeApp.close();
  });
  const { targets, url } = await startProxy();
  const { JOB_ID: _, APP_URL: __, ...identity } = fakeApp.environment;
  const line = JSON.stringify({ seq: 1, at: "2030-01-31T12:00:00Z", level: "info", text: "hello" });
  const { main, post } = await runner.runPrograms(`echo '${line}'\n`, { ...identity, http_proxy: url });
  expect(main.output + post.output).toContain("hello");
  expect(fakeApp.lines.map(({ text }) => text)).toEqual(["hello"]);
  expect(fakeApp.handedIn).toHaveLength(1);
  expect(new Set(targets)).toEqual(new Set([new URL(fakeApp.url).host]));
  // of both programs, the identity and what it is for
  expect(targets.length).toBeGreaterThanOrEqual(2);
  // a container has another loopback
  expect(runner.read("gateway-env")).not.toContain("PROXY");
});

test("the gateway is given a proxy that containers can reach, in the spelling of Node", async () => {
  const runner = new Runner({});
  onTestFinished(() => runner.remove());
  await runner.run("true", { https_proxy: "proxy.example.org:3128", NO_PROXY: "ghe.example.org" });
  expect(runner.read("gateway-env")).toContain("HTTPS_PROXY=http://proxy.example.org:3128\nNO_PROXY=ghe.example.org\n");
  expect(runner.read("agent-env")).not.toContain("PROXY");
});

async function startModel(): Promise<{ readonly port: number; readonly keys: unknown[] }> {
  const keys: unknown[] = [];
  const answer: RequestListener = (request, response) => {
    keys.push(request.headers["x-api-key"]);
    response.writeHead(200, { "content-type": "application/json" });
    const usage = { input_tokens: 1, output_tokens: 1 };
    response.end(JSON.stringify({ id: "m", type: "message", role: "assistant", content: [], usage }));
  };
  const key = readFileSync(pathOf("test/fixtures/tls/key.pem"));
  const server = createSecureServer({ key, cert: readFileSync(CERTIFICATE) }, answer);
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void server.close());
  return { port: portOf(server), keys };
}

test("the gateway reaches the provider, whose name only the proxy knows, with TLS from end to end", async () => {
  const model = await startModel();
  const { targets, url } = await startProxy(model.port);
  const gateway = startProgram("agent/gateway/main.ts", {
    ...{ ANTHROPIC_API_KEY: "the-key-of-this-test", ANTHROPIC_BASE_URL: "https://model.invalid" },
    ...{ LLM_MODEL: BRIEF.llm.model ?? "", LLM_MAX_COST_CENTS: "500", JOB_ID },
    ...{ HTTPS_PROXY: url, NODE_EXTRA_CA_CERTS: CERTIFICATE },
  });
  await vi.waitFor(() => expect(gateway.output()).toContain("\n"), { timeout: 60_000 });
  const port = /^listening on (\d+)\n/.exec(gateway.output())?.[1];
  const answer = await fetch(`http://127.0.0.1:${port}/v1/messages`, {
    method: "POST",
    body: JSON.stringify({
      model: BRIEF.llm.model,
      max_tokens: 10,
      system: [],
      tools: [],
      messages: [{ role: "user", content: [] }],
    }),
  });
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('"message"')]);
  expect(model.keys).toEqual(["the-key-of-this-test"]);
  expect(targets).toEqual(["model.invalid:443"]);
});

test("a call that breaks off behind the proxy, after it was sent, may have been charged", async () => {
  const certificate = readFileSync(CERTIFICATE, "utf8");
  setDefaultCACertificates([certificate]);
  const options = { key: readFileSync(pathOf("test/fixtures/tls/key.pem")), cert: certificate };
  const server = createSecureServer(options, (request) => request.socket.destroy());
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void server.close());
  const { url } = await startProxy(portOf(server));
  onTestFinished(setGlobalProxyFromEnv({ HTTPS_PROXY: url }));
  const call = { method: "POST", path: "/v1/messages", headers: {}, body: "{}" } as const;
  expect(await callProvider("https://model.invalid", call, new AbortController().signal)).toMatchObject({
    ok: false,
    charged: true,
  });
});

test.each([
  [{}, {}],
  [{ HTTPS_PROXY: "" }, {}],
  [{ HTTPS_PROXY: "a b" }, {}],
  [{ HTTPS_PROXY: "socks5://a:1" }, {}],
  [{ HTTPS_PROXY: "http://a:1", https_proxy: "http://b:2" }, { HTTPS_PROXY: "http://b:2" }],
  [
    { http_proxy: "a:1", no_proxy: "b,.c" },
    { HTTP_PROXY: "http://a:1", NO_PROXY: "b,.c" },
  ],
])("of %j counts %j", (environment, counts) => {
  expect(runnerProxy(environment)).toEqual(counts);
});
