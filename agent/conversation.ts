/**
 * The messages of one run, as they are sent: history, the cache mark that moves with it, and the room that is made
 * when old outputs fill the model's window.
 */
import type { ContentBlockParam, MessageParam } from "@anthropic-ai/sdk/resources/messages";

/** Tokens sent at which room is made; the smallest window of the models that we know is 200,000. */
export const ROOM_TOKENS = 140_000;
/** Latest messages whose outputs stay whole. */
const KEPT_MESSAGES = 12;
const LEFT_OUT = "[left out to make room; run it again if you need it]";

export class Conversation {
  readonly #messages: { role: "user" | "assistant"; content: ContentBlockParam[] }[] = [];

  add(role: "user" | "assistant", content: ContentBlockParam[]): void {
    // The API refuses an empty message; an empty answer is told apart by what follows it.
    if (content.length > 0) this.#messages.push({ role, content });
  }

  /** The mark on the last block lets the provider read everything before it from its cache in the next turn. */
  messages(): MessageParam[] {
    const last = this.#messages.at(-1);
    const block = last?.content.at(-1);
    if (last === undefined || block === undefined) return [...this.#messages];
    if (block.type !== "text" && block.type !== "tool_result") return [...this.#messages];
    const marked: ContentBlockParam = { ...block, cache_control: { type: "ephemeral" } };
    return [...this.#messages.slice(0, -1), { role: last.role, content: [...last.content.slice(0, -1), marked] }];
  }

  /** Replaces old tool outputs. It costs the cache once, so it is done at once for all of them. */
  makeRoom(): number {
    let left = 0;
    for (const message of this.#messages.slice(0, -KEPT_MESSAGES)) {
      message.content = message.content.map((block) => {
        if (block.type !== "tool_result" || block.content === LEFT_OUT) return block;
        left += 1;
        return { ...block, content: LEFT_OUT };
      });
    }
    return left;
  }
}
