/**
 * The scripted model's structured answers: quotes and opinions. Understands the same sentences; the same request always
 * gets the same answer.
 */
import * as z from "zod";
import { type ModelReply, type ModelRequest, textOf } from "./protocol.ts";
import { type Action, readTask, taskText } from "./task.ts";

const asked = z.object({
  output_config: z.object({
    format: z.object({
      type: z.literal("json_schema"),
      schema: z.looseObject({ properties: z.record(z.string(), z.unknown()) }),
    }),
  }),
});

/** Price and time of each action of a task. */
const CENTS = 150;
const SECONDS = 600;
const TITLE_LIMIT = 72;

/** Null when the request wants no schema. An unknown schema gets an empty object, which its reader refuses. */
export function structuredScript(request: ModelRequest): ModelReply | null {
  const read = asked.safeParse(request);
  if (!read.success) return null;
  const { properties } = read.data.output_config.format.schema;
  const value = "verdict" in properties ? verdictOn(request) : "price_cents" in properties ? quoteFor(request) : {};
  return { content: [{ type: "text", text: JSON.stringify(value) }], stopReason: "end_turn" };
}

const said = (action: Action): string => ("file" in action ? `${action.do} ${action.file}` : action.do);

function quoteFor(request: ModelRequest): object {
  const task = readTask(taskText(request));
  const line = task.text.split("\n", 1)[0] ?? "";
  return {
    title: [...`${line.charAt(0).toUpperCase()}${line.slice(1)}`].slice(0, TITLE_LIMIT).join(""),
    description: task.text,
    requirements: task.actions.map((action) => `- ${said(action)} is done`).join("\n") || "- The task is done",
    skills: ["git"],
    price_cents: CENTS * (1 + task.actions.length),
    time_limit_seconds: SECONDS * (1 + task.actions.length),
  };
}

/** The block of this name in the user's message; empty when there is none. */
function block(request: ModelRequest, tag: string): string {
  const text = request.messages.map(textOf).join("\n");
  const start = text.indexOf(`<${tag}>`);
  const end = text.indexOf(`</${tag}>`, start);
  return start < 0 || end < 0 ? "" : text.slice(start + tag.length + 2, end);
}

interface Found {
  readonly good: boolean;
  readonly reason: string;
}

/** Whether the change contains what this action asks for; null when that cannot be seen. */
function find(action: Action, change: string): Found | null {
  if (!("file" in action)) return null;
  const wanted = action.do === "replace" ? action.to : action.do === "delete" ? "" : action.text;
  const touched = change.includes(`"${action.file}"`);
  const good = touched && wanted.split("\n").every((line) => change.includes(line));
  return { good, reason: `${said(action)}: ${good ? "that is in the change" : "that is not in the change"}.` };
}

/** Passes a change that has every line of the task, fails one that lacks a line, and is unsure about anything else. */
function verdictOn(request: ModelRequest): object {
  const change = block(request, "change");
  const found = readTask(taskText(request)).actions.map((action) => find(action, change));
  const reasons = found.flatMap((one) => (one === null ? [] : [one.reason]));
  if (change === "" || found.length === 0 || found.includes(null))
    return { verdict: "unsure", reasons: [...reasons, "A part of the task leaves nothing that can be seen."] };
  return { verdict: found.every((one) => one?.good) ? "pass" : "fail", reasons };
}
