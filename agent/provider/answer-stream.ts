/**
 * Reads a streamed answer to its end. Handles what the SDK does not: a silent stream, tool input that is incomplete
 * JSON (the SDK repairs it, and half a command must never run), and the cost of an interrupted stream.
 */
import type { MessageStream } from "@anthropic-ai/sdk/lib/MessageStream";
import type { ContentBlock, Message } from "@anthropic-ai/sdk/resources/messages";
import * as z from "zod";
import type { Charged } from "./usage.ts";

export type Streamed =
  | {
      readonly ok: true;
      readonly message: Message;
      /**
       * Ids of calls whose input is not a JSON object. In the message such an input is `{}`, which the API requires.
       */
      readonly torn: ReadonlySet<string>;
    }
  | {
      readonly ok: false;
      readonly error: unknown;
      readonly silent: boolean;
      /** Whether at least one event arrived. */
      readonly received: boolean;
      readonly used: Charged | null;
    };

const inputSchema = z.record(z.string(), z.unknown());

/** A tool's input as sent; null when it is not a JSON object. */
function wholeInput(sent: string): Record<string, unknown> | null {
  try {
    return inputSchema.safeParse(JSON.parse(sent)).data ?? null;
  } catch {
    return null;
  }
}

/** Collects from the events what the SDK's message lacks. */
class EventCollector {
  readonly #inputs = new Map<number, string>();
  #used: Charged | null = null;
  received = false;

  listen(stream: MessageStream, onEvent: () => void): void {
    stream.on("connect", onEvent);
    stream.on("streamEvent", (event, message) => {
      this.received = true;
      this.#used = message.usage;
      onEvent();
      if (event.type !== "content_block_delta" || event.delta.type !== "input_json_delta") return;
      this.#inputs.set(event.index, (this.#inputs.get(event.index) ?? "") + event.delta.partial_json);
    });
  }

  /** Gateways leave out counts that they do not have. */
  get used(): Charged | null {
    if (this.#used === null) return null;
    const { input_tokens, output_tokens, ...rest } = this.#used;
    return { ...rest, input_tokens: input_tokens ?? 0, output_tokens: output_tokens ?? 0 };
  }

  /** The SDK stops at input that is not JSON at all. What came before is an answer with an incomplete call. */
  stoppedAtInput(message: Message | undefined, error: unknown): message is Message {
    const last = message?.content.at(-1);
    const sent = this.#inputs.get((message?.content.length ?? 0) - 1);
    const parsing = error instanceof Error && error.cause instanceof SyntaxError;
    return parsing && last?.type === "tool_use" && sent !== undefined && wholeInput(sent) === null;
  }

  whole(message: Message): Streamed {
    const torn = new Set<string>();
    const content = message.content.map((block, index) => {
      if (block.type !== "tool_use") return block;
      const read = this.callOf(block, index);
      if (read.torn) torn.add(block.id);
      return read.call;
    });
    return { ok: true, message: { ...message, content }, torn };
  }

  /** The call with its input as sent; `torn`: the input is unusable. */
  callOf(block: Extract<ContentBlock, { type: "tool_use" }>, index: number): { call: ContentBlock; torn: boolean } {
    const sent = this.#inputs.get(index) ?? "";
    const input = sent === "" ? inputSchema.safeParse(block.input).data : wholeInput(sent);
    const { id, name, type, caller } = block;
    return { call: { id, name, type, caller, input: input ?? {} }, torn: input === null || input === undefined };
  }
}

/** `silenceMs`: gives up an answer after this long without an event. */
export async function readAnswer(stream: MessageStream, silenceMs: number): Promise<Streamed> {
  const collector = new EventCollector();
  let silent = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  collector.listen(stream, () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      silent = true;
      stream.abort();
    }, silenceMs);
  });
  try {
    return collector.whole(await stream.finalMessage());
  } catch (error) {
    const message = stream.currentMessage;
    if (collector.stoppedAtInput(message, error)) return collector.whole({ ...message, stop_reason: "tool_use" });
    return { ok: false, error, silent, received: collector.received, used: collector.used };
  } finally {
    clearTimeout(timer);
  }
}
