/** A reader of server-sent events for tests: over a plain socket, so that it can also stop reading. */

import type { IncomingMessage } from "node:http";
import { request } from "node:http";

export interface ReceivedEvent {
  readonly id: string;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

export interface Stream {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly events: readonly ReceivedEvent[];
  /** Comments and fields that belong to no event, as they came. */
  readonly rest: readonly string[];
  /** How it ended; null while it has not. */
  ended(): "ended" | "cut" | null;
  pause(): void;
  resume(): void;
  close(): void;
}

function parse(block: string, events: ReceivedEvent[], rest: string[]): void {
  const fields = new Map(block.split("\n").map((line) => [line.split(":", 1)[0] ?? "", line.replace(/^\w*: ?/, "")]));
  const data = fields.get("data");
  if (data === undefined) rest.push(block);
  else events.push({ id: fields.get("id") ?? "", event: fields.get("event") ?? "", data: JSON.parse(data) });
}

export function openStream(url: string, headers: Record<string, string>, paused = false): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers, agent: false }, (response) => {
      const events: ReceivedEvent[] = [];
      const rest: string[] = [];
      let text = "";
      let end: "ended" | "cut" | null = null;
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
        const blocks = text.split("\n\n");
        text = blocks.pop() ?? "";
        for (const block of blocks) parse(block, events, rest);
      });
      response.on("end", () => {
        end ??= "ended";
      });
      response.on("error", () => {
        end ??= "cut";
      });
      if (paused) response.pause();
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        events,
        rest,
        ended: () => end,
        pause: () => response.pause(),
        resume: () => response.resume(),
        close: () => asked.destroy(),
      });
    });
    asked.on("error", reject);
    asked.end();
  });
}
