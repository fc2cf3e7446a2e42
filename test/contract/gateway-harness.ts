/** The real gateway on a socket, and a provider behind it that records requests and answers as a test says. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import * as z from "zod";
import type { DialPorts } from "../../agent/gateway/dial.ts";
import { type GatewaySettings, readGateway } from "../../agent/gateway/settings.ts";
import { type GatewayPorts, startGateway } from "../../agent/gateway/start.ts";
import { SPENT_PATH, type Spent, spentSchema } from "../../src/contracts/gateway.ts";

export const KEY = "provider-key-0123456789";
export const MODEL = "claude-sonnet-5-5";

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface FakeProvider {
  readonly url: string;
  readonly asked: readonly Asked[];
}

/** It does not outlive the test. */
export async function startProvider(answer: (asked: Asked, response: ServerResponse) => void): Promise<FakeProvider> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const { method = "", url = "", headers } = request;
    const one = { method, url, headers, body: await text(request) };
    asked.push(one);
    answer(one, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

export const message = (usage: object, words = "hello"): string =>
  JSON.stringify({
    ...{ id: "msg_1", type: "message", role: "assistant", model: MODEL, stop_sequence: null, stop_reason: "end_turn" },
    content: [{ type: "text", text: words }],
    usage,
  });

export const event = (data: { readonly type: string; readonly [name: string]: unknown }): string =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;

export const sayJson = (response: ServerResponse, body: string, status = 200): void =>
  void response.writeHead(status, { "content-type": "application/json" }).end(body);

export const USAGE = { input_tokens: 10, output_tokens: 20 };

export const friendly = (): Promise<FakeProvider> => startProvider((_, response) => sayJson(response, message(USAGE)));

const errorSchema = z.object({
  type: z.literal("error"),
  error: z.looseObject({ type: z.string(), message: z.string() }),
});

export const errorIn = async (answer: Response) => errorSchema.parse(await answer.json()).error;

export interface Gateway {
  readonly url: string;
  readonly port: number;
  readonly said: readonly string[];
  spent(): Promise<Spent>;
  /** A call of the model as its clients make it. */
  call(body: unknown, headers?: Record<string, string>): Promise<Response>;
  /** Bytes as they stand, on a connection of their own; answers all that comes back. */
  raw(bytes: string): Promise<string>;
}

export async function startTested(
  provider: { readonly url: string },
  environment: Record<string, string> = {},
  dialPorts?: DialPorts,
  more: Partial<GatewaySettings> = {},
  ports: GatewayPorts = {},
): Promise<Gateway> {
  const base = {
    ANTHROPIC_API_KEY: KEY,
    ANTHROPIC_BASE_URL: provider.url,
    LLM_MODEL: MODEL,
    LLM_MAX_COST_CENTS: "100",
  };
  const read = readGateway({ ...base, ...environment });
  if (!read.ok) throw new Error(read.reason);
  const said: string[] = [];
  const { port, close } = await startGateway({ ...read.settings, ...more }, (sentence) => said.push(sentence), {
    ...(dialPorts && { dialPorts }),
    ...ports,
  });
  onTestFinished(() => close());
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    said,
    spent: async () => spentSchema.parse(await (await fetch(url + SPENT_PATH)).json()),
    call: (body, headers = {}) =>
      fetch(`${url}/v1/messages`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(body),
      }),
    raw: (bytes) =>
      new Promise((resolve) => {
        const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
        let answer = "";
        socket.on("data", (chunk: Buffer) => (answer += chunk.toString()));
        socket.once("error", () => {}).once("close", () => resolve(answer));
      }),
  };
}

export const ask = (more: object = {}) => ({
  model: MODEL,
  max_tokens: 1_000,
  messages: [{ role: "user", content: "hello" }],
  ...more,
});
