/** Parses tasks for the scripted model: a handful of English sentences. */
import { FIRST_TASK } from "../../../src/contracts/first-task.ts";
import { type ModelRequest, textOf } from "./protocol.ts";

export type Action =
  | { readonly do: "create"; readonly file: string; readonly text: string }
  | { readonly do: "append"; readonly file: string; readonly text: string }
  | { readonly do: "delete"; readonly file: string }
  | { readonly do: "run"; readonly command: string }
  | { readonly do: "replace"; readonly file: string; readonly from: string; readonly to: string }
  | { readonly do: "resolve" }
  | { readonly do: "fail" }
  | { readonly do: "refuse" }
  | { readonly do: "ask"; readonly question: string }
  | { readonly do: "nothing" };

export interface Task {
  readonly text: string;
  /** Empty when no sentence of the task is known. */
  readonly actions: readonly Action[];
  /** Parts of the task that are not known sentences. */
  readonly unclear: readonly string[];
}

const FILE = String.raw`[\`"']?([\w@./-]*[\w@-])[\`"']?`;

interface Sentence {
  readonly example: string;
  readonly shape: RegExp;
  readonly make: (found: readonly string[]) => Action;
}

const SENTENCES: readonly Sentence[] = [
  {
    example: "create HELLO.md that says hello",
    shape: pattern(
      `(?:create|add|write|make) (?:a |the )?(?:new )?(?:file )?(?:called |named )?${FILE} (?:that says|saying|with the text|containing|with) (.+)`,
    ),
    make: ([file = "", text = ""]) => ({ do: "create", file, text: unquoted(text) }),
  },
  {
    example: "append See you soon. to README.md",
    shape: pattern(`append (.+) to (?:the file )?${FILE}`),
    make: ([text = "", file = ""]) => ({ do: "append", file, text: unquoted(text) }),
  },
  {
    example: FIRST_TASK,
    shape: pattern("say (.+) in the readme"),
    make: ([text = ""]) => ({ do: "append", file: "README.md", text: unquoted(text) }),
  },
  {
    example: "replace politely with warmly in README.md",
    shape: pattern(`replace (.+?) (?:with|by) (.+) in (?:the file )?${FILE}`),
    make: ([from = "", to = "", file = ""]) => ({ do: "replace", file, from: unquoted(from), to: unquoted(to) }),
  },
  {
    example: "delete README.md",
    shape: pattern(`(?:delete|remove) (?:the file )?${FILE}`),
    make: ([file = ""]) => ({ do: "delete", file }),
  },
  {
    example: "resolve the conflicts",
    shape: pattern("(?:resolve (?:all |the )?conflicts|the pull request of this job conflicts with .+)"),
    make: () => ({ do: "resolve" }),
  },
  {
    example: "run npm test",
    shape: pattern("run (.+)"),
    make: ([command = ""]) => ({ do: "run", command: unquoted(command) }),
  },
  {
    example: "ask which colour it should be",
    shape: pattern("ask (.+)"),
    make: ([question = ""]) => ({ do: "ask", question: unquoted(question) }),
  },
  { example: "do nothing", shape: pattern("(?:do )?nothing"), make: () => ({ do: "nothing" }) },
  { example: "refuse", shape: pattern("refuse"), make: () => ({ do: "refuse" }) },
  { example: "fail", shape: pattern("fail"), make: () => ({ do: "fail" }) },
];

/** An example task of each known kind. Several are joined by “then”. */
export const KNOWN_TASKS: readonly string[] = SENTENCES.map(({ example }) => example);

function pattern(source: string): RegExp {
  return new RegExp(`^(?:please )?${source}$`, "is");
}

const unquoted = (text: string): string => text.trim().replace(/^(["'`])(.*)\1$/s, "$2");

function actionOf(sentence: string): Action | undefined {
  for (const { shape, make } of SENTENCES) {
    const found = shape.exec(sentence);
    if (found) return make(found.slice(1));
  }
  return undefined;
}

/** Text that the brief adds to the task of an issue, and that asks for nothing. */
const WHERE_ASKED = /^Asked for in #\d+: /;

export function readTask(text: string): Task {
  const whole = text.trim();
  const actions: Action[] = [];
  const unclear: string[] = [];
  for (const line of whole.split(/\r?\n+/)) {
    for (const part of line.split(/[,;]?\s+(?:and\s+)?then\s+/i)) {
      const sentence = part.trim();
      const action = actionOf(sentence) ?? actionOf(sentence.replace(/[.!]$/, ""));
      if (action) actions.push(action);
      else if (/\w/.test(sentence) && !WHERE_ASKED.test(sentence)) unclear.push(sentence);
    }
  }
  return { text: whole, actions, unclear };
}

/** The last `<task>` block of the first user message, since instructions before it may mention such blocks. */
export function taskText(request: ModelRequest): string {
  const first = request.messages.find((one) => one.role === "user");
  const text = first ? textOf(first) : "";
  const end = text.lastIndexOf("</task>");
  const start = /<task(?:\s[^>]*)?>(?!.*<task[\s>])/s.exec(end < 0 ? "" : text.slice(0, end));
  return start ? text.slice(start.index + start[0].length, end).trim() : text.trim();
}
