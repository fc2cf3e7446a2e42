/**
 * Owns the scripted model's understanding of a task: a handful of English sentences, read without any model.
 */
import { type ModelRequest, textOf } from "./protocol.ts";

export type Action =
  | { readonly do: "create"; readonly file: string; readonly text: string }
  | { readonly do: "append"; readonly file: string; readonly text: string }
  | { readonly do: "delete"; readonly file: string }
  | { readonly do: "run"; readonly command: string }
  | { readonly do: "replace"; readonly file: string; readonly from: string; readonly to: string }
  | { readonly do: "fail" }
  | { readonly do: "refuse" }
  | { readonly do: "ask"; readonly question: string }
  | { readonly do: "nothing" };

export interface Task {
  readonly text: string;
  readonly actions: readonly Action[];
  /** Parts of the task that are none of the known sentences, when others were. */
  readonly unclear: readonly string[];
}

const FILE = String.raw`[\`"']?([\w@./-]*[\w@-])[\`"']?`;

const SENTENCES: readonly (readonly [RegExp, (found: readonly string[]) => Action])[] = [
  [
    pattern(
      `(?:create|add|write|make) (?:a |the )?(?:new )?(?:file )?(?:called |named )?${FILE} (?:that says|saying|with the text|containing|with) (.+)`,
    ),
    ([file = "", text = ""]) => ({ do: "create", file, text: unquoted(text) }),
  ],
  [
    pattern(`append (.+) to (?:the file )?${FILE}`),
    ([text = "", file = ""]) => ({ do: "append", file, text: unquoted(text) }),
  ],
  [pattern(`(?:delete|remove) (?:the file )?${FILE}`), ([file = ""]) => ({ do: "delete", file })],
  [pattern("run (.+)"), ([command = ""]) => ({ do: "run", command: unquoted(command) })],
  [
    pattern(`replace (.+?) (?:with|by) (.+) in (?:the file )?${FILE}`),
    ([from = "", to = "", file = ""]) => ({ do: "replace", file, from: unquoted(from), to: unquoted(to) }),
  ],
  [pattern("fail"), () => ({ do: "fail" })],
  [pattern("refuse"), () => ({ do: "refuse" })],
  [pattern("ask (.+)"), ([question = ""]) => ({ do: "ask", question: unquoted(question) })],
  [pattern("(?:do )?nothing"), () => ({ do: "nothing" })],
];

function pattern(source: string): RegExp {
  return new RegExp(`^(?:please )?${source}$`, "is");
}

const unquoted = (text: string): string => text.trim().replace(/^(["'`])(.*)\1$/s, "$2");

function actionOf(sentence: string): Action | undefined {
  for (const [shape, make] of SENTENCES) {
    const found = shape.exec(sentence);
    if (found) return make(found.slice(1));
  }
  return undefined;
}

export function readTask(text: string): Task {
  const whole = text.trim();
  const actions: Action[] = [];
  const unclear: string[] = [];
  for (const line of whole.split(/\r?\n+/)) {
    for (const part of line.split(/[,;]?\s+(?:and\s+)?then\s+/i)) {
      const sentence = part.trim();
      const action = actionOf(sentence) ?? actionOf(sentence.replace(/[.!]$/, ""));
      if (action) actions.push(action);
      else if (/\w/.test(sentence)) unclear.push(sentence);
    }
  }
  if (actions.length === 0)
    return { text: whole, actions: [{ do: "create", file: "NOTES.md", text: whole }], unclear: [] };
  return { text: whole, actions, unclear };
}

/** The last `<task>` block of the first user message, since instructions before it may speak of such blocks too. */
export function taskText(request: ModelRequest): string {
  const first = request.messages.find((one) => one.role === "user");
  const text = first ? textOf(first) : "";
  const end = text.lastIndexOf("</task>");
  const start = /<task(?:\s[^>]*)?>(?!.*<task[\s>])/s.exec(end < 0 ? "" : text.slice(0, end));
  return start ? text.slice(start.index + start[0].length, end).trim() : text.trim();
}
