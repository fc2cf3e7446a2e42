/**
 * The messages of a run: the history, the cache marker that moves with it, and the removal of old outputs before the
 * model's window is full. The provider's own context editing is not used: gateways and local models lack it, and its
 * removals would still fill our memory and every request.
 */
import type { ContentBlockParam, MessageParam, ToolUseBlockParam } from "@anthropic-ai/sdk/resources/messages";
import * as z from "zod";
import { head } from "../../src/text/text.ts";
import { withoutRefusedImages } from "./images.ts";

/** Conversation size in tokens at which old outputs are removed, and the size to aim for. */
export interface Room {
  readonly most: number;
  readonly enough: number;
}

/**
 * An upper bound for large windows: the whole conversation is paid for in each turn, and models find less in longer
 * ones.
 */
const MAX_ROOM_TOKENS = 140_000;
/** Assumed for a model whose window is unknown: the smallest known one. */
const UNKNOWN_WINDOW_TOKENS = 200_000;
/** Leaves a margin: sizes are estimates, and tool outputs come on top. */
const USABLE_SHARE = 0.9;
const ENOUGH_SHARE = 0.7;

/** Prompt and answer share the window. A large answer limit still leaves half of it for the prompt. */
export function roomIn(window: number | null, maxTokens: number): Room {
  const whole = window ?? UNKNOWN_WINDOW_TOKENS;
  const most = Math.min(MAX_ROOM_TOKENS, Math.floor(Math.max(whole * USABLE_SHARE - maxTokens, whole / 2)));
  return { most, enough: Math.floor(most * ENOUGH_SHARE) };
}

/** The latest messages, which stay whole. */
const KEPT_MESSAGES = 12;
/** The same after the provider has reported a full window. */
export const KEPT_WHEN_FULL = 2;
const LEFT_OUT = "[removed to save space; run it again if you need it]";
/** Characters of an old call's text to keep, so that the model still sees what it did. */
const KEPT_INPUT = 200;

export class Conversation {
  readonly #messages: { role: "user" | "assistant"; content: ContentBlockParam[] }[] = [];

  add(role: "user" | "assistant", content: ContentBlockParam[]): void {
    // The API refuses empty texts and messages, which models write; the caller tells an empty answer by its stop
    // reason.
    const said = content.filter((block) => block.type !== "text" || block.text.trim() !== "");
    if (said.length > 0) this.#messages.push({ role, content: said });
  }

  /** The marker on the last block lets the provider read everything before it from its cache in the next turn. */
  messages(): MessageParam[] {
    const last = this.#messages.at(-1);
    const block = last?.content.at(-1);
    if (last === undefined || block === undefined) return [...this.#messages];
    if (block.type !== "text" && block.type !== "tool_result") return [...this.#messages];
    const marked: ContentBlockParam = { ...block, cache_control: { type: "ephemeral" } };
    return [...this.#messages.slice(0, -1), { role: last.role, content: [...last.content.slice(0, -1), marked] }];
  }

  /** Leaves out images that the provider refuses. Returns whether there was one. */
  dropImages(words: string): boolean {
    const [first] = this.#messages;
    const content = first === undefined ? null : withoutRefusedImages(first.content, words);
    if (first === undefined || content === null) return false;
    first.content = content;
    return true;
  }

  /**
   * Replaces old outputs and long texts in old calls; returns the number of characters removed. It invalidates the
   * cache, so it removes all of them at once.
   */
  dropOldOutputs(kept = KEPT_MESSAGES): number {
    let characters = 0;
    for (const message of this.#messages.slice(1, -kept)) {
      message.content = message.content.map((block) => {
        const short = shortened(block);
        if (short !== block) characters += Math.max(0, lengthOf(block) - lengthOf(short));
        return short;
      });
    }
    return characters;
  }
}

const lengthOf = (block: ContentBlockParam): number => JSON.stringify(block).length;

function shortened(block: ContentBlockParam): ContentBlockParam {
  if (block.type === "tool_use") return shortCall(block);
  if (block.type !== "tool_result" || block.content === LEFT_OUT) return block;
  return { ...block, content: LEFT_OUT };
}

const inputSchema = z.record(z.string(), z.unknown()).catch({});

function shortCall(block: ToolUseBlockParam): ToolUseBlockParam {
  const input = inputSchema.parse(block.input);
  const long = (value: unknown): value is string => typeof value === "string" && value.length > KEPT_INPUT * 2;
  if (!Object.values(input).some(long)) return block;
  const cut = Object.entries(input).map(([name, value]) => [
    name,
    long(value) ? `${head(value, KEPT_INPUT)} ${LEFT_OUT}` : value,
  ]);
  return { ...block, input: Object.fromEntries(cut) };
}
