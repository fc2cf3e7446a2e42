/** What `finish` takes as answers to review comments: only those of the brief, each once, and a reminder of the rest. */
import * as z from "zod";
import { MAX_REPLY, type Reply, type Review } from "../../src/contracts/review.ts";
import { head } from "../../src/text/text.ts";

export const repliesInput = z
  .array(z.object({ id: z.number().int(), body: z.string().max(50_000), done: z.boolean().default(false) }))
  .max(1_000)
  .default([]);

export const REPLIES_SCHEMA = {
  type: "array",
  items: {
    type: "object",
    properties: { id: { type: "integer" }, body: { type: "string" }, done: { type: "boolean" } },
    required: ["id", "body", "done"],
  },
};

export class ReplyDesk {
  readonly #ids: ReadonlySet<number>;
  #reminded = false;

  constructor(reviews: readonly Review[]) {
    this.#ids = new Set(reviews.flatMap(({ comments }) => comments.map(({ id }) => id)));
  }

  /** Once: a model that leaves comments unanswered again has its reason, and its work must not be lost. */
  remind(replies: readonly Reply[]): string | null {
    const answered = new Set(this.answers(replies).map(({ id }) => id));
    const left = [...this.#ids].filter((id) => !answered.has(id));
    if (left.length === 0 || this.#reminded) return null;
    this.#reminded = true;
    return `Not finished: replies has no answer to these review comments: ${left.join(", ")}. Call finish again with one reply for each comment.`;
  }

  answers(replies: readonly Reply[]): Reply[] {
    const said = replies.filter(({ id, body }) => this.#ids.has(id) && body.trim() !== "");
    const last = new Map(said.map((one) => [one.id, { ...one, body: head(one.body.trim(), MAX_REPLY) }]));
    return [...last.values()];
  }
}
