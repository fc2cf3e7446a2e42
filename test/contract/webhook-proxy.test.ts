/** Deliveries through a smee channel, played by a local server. */
import { once } from "node:events";
import { createServer, type RequestListener, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { expect, it, onTestFinished } from "vitest";
import { receiveFromProxy } from "../../src/http/server/webhook-proxy.ts";
import { until } from "../flows/harness.ts";

async function listening(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return `http://127.0.0.1:${address.port}`;
}

it("passes on what arrives at the channel, signature and bytes as they were", async () => {
  const listeners: ServerResponse[] = [];
  const channel = await listening((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("event: ready\ndata: {}\n\n");
    listeners.push(response);
  });
  const received: { url: string | undefined; headers: object; body: string }[] = [];
  const server = await listening(async (request, response) => {
    received.push({ url: request.url, headers: request.headers, body: await text(request) });
    response.writeHead(200).end();
  });
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const stop = await receiveFromProxy(channel, server, silent);
  onTestFinished(stop);
  const [listener] = await until("somebody to listen", () => (listeners.length > 0 ? listeners : false));
  const body = { action: "created", sender: { login: "ada" } };
  const delivery = { "x-github-event": "issue_comment", "x-hub-signature-256": "sha256=00", body, query: {} };
  listener?.write(`data: ${JSON.stringify({ ...delivery, timestamp: 1 })}\n\n`);
  await until("it to come", () => received.length > 0);
  expect(received).toEqual([
    {
      url: "/api/github/webhooks",
      headers: expect.objectContaining({ "x-github-event": "issue_comment", "x-hub-signature-256": "sha256=00" }),
      body: JSON.stringify(body),
    },
  ]);
});
