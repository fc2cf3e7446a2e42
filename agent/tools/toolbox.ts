/**
 * The model's tools: their definitions, and the single function that runs every call. Validates the input; an invalid
 * call returns what was wrong and counts as malformed.
 */
import type { ToolUnion, ToolUseBlock } from "@anthropic-ai/sdk/resources/messages";
import * as z from "zod";
import { head } from "../../src/text/text.ts";
import { FINISH_OUTCOMES, type Stop } from "../loop/stop-reasons.ts";
import { bashInput, type Shell } from "./bash.ts";
import { type ConflictDesk, DECISIONS_SCHEMA, decisionsInput } from "./conflict-desk.ts";
import { edit, editorInput } from "./editor.ts";
import { REPLIES_SCHEMA, type ReplyDesk, repliesInput } from "./reply-desk.ts";
import { refused } from "./tool-result.ts";

const EDITOR = "str_replace_based_edit_tool";

const finishInput = z.object({
  outcome: z.enum(FINISH_OUTCOMES),
  title: z.string().trim().min(1).max(1_000),
  body: z.string().max(50_000).default(""),
  replies: repliesInput,
  conflicts: decisionsInput,
});

export const TOOLS: readonly ToolUnion[] = [
  { type: "bash_20250124", name: "bash" },
  { type: "text_editor_20250728", name: EDITOR },
  {
    name: "finish",
    description:
      "Ends the job. outcome: done, nothing_to_do, question or refused; title: one line, as of a pull request; " +
      "body: Markdown that says what was done, why, and how it was verified, or the question, or the reason; " +
      "replies: only where the first message shows review comments, one for each of them; conflicts: only where it names " +
      "conflicts without markers, one for each path.",
    input_schema: {
      type: "object",
      properties: {
        outcome: { type: "string", enum: [...FINISH_OUTCOMES] },
        title: { type: "string" },
        body: { type: "string" },
        replies: REPLIES_SCHEMA,
        conflicts: DECISIONS_SCHEMA,
      },
      required: ["outcome", "title", "body"],
    },
  },
];

export type ToolEnd =
  | { readonly kind: "answered"; readonly text: string; readonly failed: boolean }
  | { readonly kind: "malformed"; readonly text: string }
  | { readonly kind: "finished"; readonly stop: Stop };

export interface Toolbox {
  readonly workspace: string;
  readonly shell: Shell;
  readonly replyDesk: ReplyDesk;
  readonly conflictDesk: ConflictDesk;
}

export async function useTool(box: Toolbox, call: ToolUseBlock, signal: AbortSignal): Promise<ToolEnd> {
  switch (call.name) {
    case "bash": {
      const input = bashInput.safeParse(call.input);
      if (!input.success) return malformed(call.name, input.error);
      return { kind: "answered", ...(await box.shell.use(input.data, signal)) };
    }
    case EDITOR: {
      const input = editorInput.safeParse(call.input);
      if (!input.success) return malformed(call.name, input.error);
      const answer = await edit(box.workspace, input.data).catch((error: unknown) => refused(reasonOf(error)));
      return { kind: "answered", ...answer };
    }
    case "finish": {
      const input = finishInput.safeParse(call.input);
      if (!input.success) return malformed(call.name, input.error);
      const missing = box.conflictDesk.remind(input.data) ?? box.replyDesk.remind(input.data.replies);
      if (missing !== null) return { kind: "answered", text: missing, failed: true };
      const replies = box.replyDesk.answers(input.data.replies);
      const conflicts = box.conflictDesk.decisions(input.data.conflicts);
      return { kind: "finished", stop: { kind: "finished", ...input.data, replies, conflicts } };
    }
    default:
      return { kind: "malformed", text: `There is no tool ${call.name}. There are bash, ${EDITOR} and finish.` };
  }
}

const malformed = (name: string, error: z.ZodError): ToolEnd => ({
  kind: "malformed",
  text: `The input of ${name} cannot be used:\n${z.prettifyError(error)}`,
});

/** The file system's error: permission denied, no space, a folder instead of a file. */
const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const MAX_SHOWN = 300;
const shown = z.looseObject({ command: z.string().optional(), path: z.string().optional() }).catch({});

/** A call as one line of the log. */
export function describeCall(call: ToolUseBlock): string {
  const { command, path } = shown.parse(call.input);
  if (call.name === "bash") return `$ ${head((command ?? "restart").trim(), MAX_SHOWN)}`;
  if (call.name === EDITOR) return head(`${command ?? "edit"} ${path ?? ""}`, MAX_SHOWN);
  return call.name;
}
