/** Reads the reviews in a prompt for the scripted model: what each comment asks for, and what it suggests; and its conflicts. */
import * as z from "zod";
import { type ModelRequest, textOf } from "./protocol.ts";
import { type Action, readTask, type Task } from "./task.ts";

interface Comment {
  readonly id: number;
  readonly actions: readonly Action[];
}

const COMMENT = /<review_comment>\nComment (\d+) on [\s\S]*?\nIt says:\n([\s\S]*?)\n<\/review_comment>/g;
const BODY = /<review>\n([\s\S]*?)\n<\/review>/g;
const SUGGESTION = /Comment (\d+) suggests [^\n]*\n<suggestion>\n([\s\S]*?)\n<\/suggestion>/g;

const suggestion = z.object({ path: z.string(), replaces: z.string(), with: z.string() });

const promptOf = ({ messages }: ModelRequest): string => {
  const first = messages.find(({ role }) => role === "user");
  return first === undefined ? "" : textOf(first);
};

function suggested(prompt: string): ReadonlyMap<number, readonly Action[]> {
  return new Map(
    [...prompt.matchAll(SUGGESTION)].map(([, id, rows = ""]) => [
      Number(id),
      rows.split("\n").map((row): Action => {
        const { path: file, replaces: from, with: to } = suggestion.parse(JSON.parse(row));
        return { do: "replace", file, from, to };
      }),
    ]),
  );
}

function commentsIn(prompt: string): Comment[] {
  const suggestions = suggested(prompt);
  return [...prompt.matchAll(COMMENT)].map(([, id, body = ""]) => {
    // a command in a comment is the comment's own words
    const words = body.replace(/^\/job\s+/m, "");
    return { id: Number(id), actions: suggestions.get(Number(id)) ?? readTask(words).actions };
  });
}

const CONFLICTS = /<conflicts>\n([\s\S]*?)\n<\/conflicts>/;
const CONFLICT = /^("(?:[^"\\]|\\.)*"): /;

/** Conflicts that no marker shows, each of which stays as it is in the checkout. */
export const conflictsIn = (request: ModelRequest): readonly { readonly path: string; readonly keep: "file" }[] =>
  (CONFLICTS.exec(promptOf(request))?.[1] ?? "").split("\n").flatMap((row) => {
    const path = CONFLICT.exec(row)?.[1];
    return path === undefined ? [] : [{ path: z.string().parse(JSON.parse(path)), keep: "file" as const }];
  });

export interface ReviewedTask {
  readonly task: Task;
  readonly replies: readonly { readonly id: number; readonly body: string; readonly done: boolean }[];
}

/** The task together with what its reviews ask for; null: there are none. */
export function readReviews(request: ModelRequest, task: Task): ReviewedTask | null {
  const prompt = promptOf(request);
  const comments = commentsIn(prompt);
  const bodies = [...prompt.matchAll(BODY)].map(([, body = ""]) => readTask(body.replace(/^\/job\s+/m, "")));
  if (comments.length === 0 && bodies.length === 0) return null;
  const asked = [
    ...task.actions,
    ...bodies.flatMap(({ actions }) => actions),
    ...comments.flatMap(({ actions }) => actions),
  ];
  const actions = [...new Map(asked.map((action) => [JSON.stringify(action), action])).values()];
  return {
    task: { ...task, actions, unclear: [] },
    replies: comments.map(({ id, actions: own }) => ({
      id,
      body: own.length === 0 ? "I do not understand what should change here." : "Changed as you asked.",
      done: own.length > 0,
    })),
  };
}
