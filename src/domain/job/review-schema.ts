/** The shape of what reviews of a job's pull request have asked for. */
import * as z from "zod";
import { count, list, number, type Shape, text, unset, words } from "./schema-parts.ts";

/** `node_id`: GraphQL's, which is opaque. `by`: GitHub login. `dismissed`: after its round had begun. */
export const reviewRefSchema = z.object({
  id: number,
  node_id: text,
  by: words,
  dismissed: z.literal(true).exactOptional(),
});
/** A submitted review, as much of it as a job keeps. */
export type ReviewRef = Shape<typeof reviewRefSchema>;

const answeredSchema = z.object({
  /** GraphQL ids of the reviews. */
  reviews: z.array(text),
  /** Comments of which nothing is left to do, as the agent says. */
  done: z.array(number),
  /** There is something new to look at. */
  asks: z.boolean(),
});
/** What was answered by work that checks have not passed yet. */
export type Answered = Shape<typeof answeredSchema>;

export const reviewsSchema = z.object({
  /** What the present round is about, oldest first. */
  now: list(reviewRefSchema),
  /** No message began the present round: these reviews alone did. */
  alone: z.boolean().default(false),
  /** For the next round; past the limit, for the next message. */
  waiting: list(reviewRefSchema),
  /** How many rounds reviews alone have begun on this pull request. */
  rounds: count.default(0),
  /** Its threads are resolved, and the reviewers asked again, once the work passes. */
  answered: unset(answeredSchema),
});
/** What reviews have asked for. */
export type Reviews = Shape<typeof reviewsSchema>;
