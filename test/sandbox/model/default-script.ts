/**
 * The scripted model's behaviour: look, act with the offered tools, check, finish. Stateless: the turn follows from the
 * conversation, so the same request always gets the same reply.
 */
import {
  apiError,
  type ContentBlock,
  type ModelReply,
  type ModelRequest,
  type ToolResult,
  toolResults,
} from "./protocol.ts";
import { conflictsIn, readReviews } from "./review.ts";
import { structuredScript } from "./structured-script.ts";
import { type Action, KNOWN_TASKS, readTask, type Task, taskText } from "./task.ts";

type Finish = {
  readonly outcome: "done" | "nothing_to_do" | "question" | "refused";
  readonly title: string;
  readonly body: string;
};
type Turn = (results: readonly ToolResult[]) => ModelReply;

const EDITOR = "str_replace_based_edit_tool";

const UNKNOWN = `The sandbox's scripted model does not understand this task. It knows these, joined by “then”: ${KNOWN_TASKS.join(" · ")}.`;

export function defaultScript(request: ModelRequest): ModelReply {
  const shaped = structuredScript(request);
  if (shaped !== null) return shaped;
  const tools = new Set((request.tools ?? []).map((tool) => tool.name ?? ""));
  if (!tools.has("bash")) return say("I can only work through a tool named bash, and none was offered.");
  const turn = request.messages.filter((one) => one.role === "assistant").length;
  const results = request.messages.flatMap(toolResults);
  const asked = readTask(taskText(request));
  const reviewed = readReviews(request, asked);
  const task = reviewed?.task ?? asked;
  if (task.actions.length === 0 && reviewed === null) return apiError(400, "invalid_request_error", UNKNOWN);
  const plan = turnsFor(task, tools);
  const play = plan[Math.min(turn, plan.length - 1)];
  const reply = play ? play(results) : say("I have nothing to add.");
  const conflicts = task.actions.some((action) => action.do === "resolve") ? conflictsIn(request) : [];
  return finishingWith(reply, {
    ...(reviewed === null ? {} : { replies: reviewed.replies }),
    ...(conflicts.length === 0 ? {} : { conflicts }),
  });
}

/** What the script says wherever it finishes: an answer to each comment, and which conflicts it leaves as they are. */
function finishingWith(reply: ModelReply, said: object): ModelReply {
  if (!("content" in reply)) return reply;
  const content = reply.content.map((block) =>
    block.type === "tool_use" && block.name === "finish" ? { ...block, input: { ...block.input, ...said } } : block,
  );
  return { ...reply, content };
}

const say = (text: string): ModelReply => ({ content: [{ type: "text", text }], stopReason: "end_turn" });

const use = (text: string, name: string, input: Record<string, unknown>): ModelReply => ({
  content: [{ type: "text", text }, { type: "tool_use", name, input } satisfies ContentBlock],
  stopReason: "tool_use",
});

const bash = (text: string, command: string): ModelReply => use(text, "bash", { command });

/** Files whose markers are removed. */
const KEEP_BOTH =
  "grep -rlE '^(<<<<<<<|>>>>>>>) ' --exclude-dir=.git --exclude-dir=.jobs . | xargs -r sed -i -E '/^(<<<<<<< .*|=======|>>>>>>> .*)$/d'";

const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

function turnsFor(task: Task, tools: ReadonlySet<string>): Turn[] {
  const turns: Turn[] = [() => bash("I look around first.", "ls -la")];
  for (const action of task.actions) {
    const [more, ends] = turnsOf(action, tools.has(EDITOR), tools.has("finish"));
    turns.push(...more);
    if (ends) return turns;
  }
  const files = [
    ...new Set(
      task.actions.flatMap((one) =>
        one.do === "create" || one.do === "append" || one.do === "replace" ? [one.file] : [],
      ),
    ),
  ];
  if (files.length > 0) turns.push(() => bash("I check what I wrote.", `cat -- ${files.map(quote).join(" ")}`));
  turns.push((results) => end(summary(task, results), tools.has("finish")));
  return turns;
}

/** The turns of one action, and whether the conversation ends with them. */
function turnsOf(action: Action, editor: boolean, finish: boolean): readonly [Turn[], boolean] {
  switch (action.do) {
    case "create":
      return [[() => create(action.file, action.text, editor)], false];
    case "append":
      return [appendTurns(action.file, action.text, editor), false];
    case "replace":
      return [[() => replace(action, editor)], false];
    case "delete":
      return [[() => bash(`I delete ${action.file}.`, `rm -- ${quote(action.file)}`)], false];
    case "run":
      return [[() => bash("I run the command.", action.command)], false];
    case "resolve":
      return [[() => bash("I keep both sides of each conflict.", KEEP_BOTH)], false];
    case "fail":
      return [[() => apiError(400, "invalid_request_error", "The task told the scripted model to fail.")], true];
    case "refuse":
      return [
        [
          () =>
            end(
              { outcome: "refused", title: "Refused", body: "I will not do this, as the task told me to refuse." },
              finish,
            ),
        ],
        true,
      ];
    case "ask":
      return [[() => end({ outcome: "question", title: "A question first", body: action.question }, finish)], true];
    case "nothing":
      return [
        [
          () =>
            end(
              { outcome: "nothing_to_do", title: "Nothing to do", body: "Everything is as it should be already." },
              finish,
            ),
        ],
        true,
      ];
    default: {
      const never: never = action;
      throw new Error(`unknown action ${JSON.stringify(never)}`);
    }
  }
}

function create(file: string, text: string, editor: boolean): ModelReply {
  const words = `I create ${file}.`;
  if (editor) return use(words, EDITOR, { command: "create", path: file, file_text: `${text}\n` });
  return bash(words, `mkdir -p -- "$(dirname -- ${quote(file)})" && printf '%s\\n' ${quote(text)} > ${quote(file)}`);
}

function replace({ file, from, to }: { file: string; from: string; to: string }, editor: boolean): ModelReply {
  const words = `I replace the text in ${file}.`;
  if (editor) return use(words, EDITOR, { command: "str_replace", path: file, old_str: from, new_str: to });
  const program =
    "const fs=require('fs'),[f,a,b]=process.argv.slice(1),t=fs.readFileSync(f,'utf8');if(!t.includes(a))process.exit(1);fs.writeFileSync(f,t.replace(a,()=>b))";
  return bash(words, `node -e ${quote(program)} ${[file, from, to].map(quote).join(" ")}`);
}

/** The editor inserts after a line number, so the model first asks for the number of lines. */
function appendTurns(file: string, text: string, editor: boolean): Turn[] {
  const count = () =>
    bash(`I count the lines of ${file}.`, `awk 'END { print NR }' ${quote(file)} 2>/dev/null || echo missing`);
  const insert: Turn = (results) => {
    const lines = /\b\d+\b/.exec(results.at(-1)?.text ?? "")?.[0];
    if (lines === undefined) return create(file, text, editor);
    if (!editor) return bash(`I append to ${file}.`, `printf '%s\\n' ${quote(text)} >> ${quote(file)}`);
    const place = { insert_line: Number(lines), insert_text: `${text}\n` };
    return use(`I append to ${file}.`, EDITOR, { command: "insert", path: file, ...place });
  };
  return [count, insert];
}

const SAID: Readonly<Record<Action["do"], (action: Action) => string>> = {
  create: (action) => ("file" in action ? `create ${action.file}` : ""),
  append: (action) => ("file" in action ? `append to ${action.file}` : ""),
  replace: (action) => ("file" in action ? `change ${action.file}` : ""),
  delete: (action) => ("file" in action ? `delete ${action.file}` : ""),
  run: (action) => ("command" in action ? `run \`${action.command}\`` : ""),
  resolve: () => "resolve the conflicts",
  fail: () => "fail",
  refuse: () => "refuse",
  ask: () => "ask",
  nothing: () => "do nothing",
};

const TITLE_LIMIT = 72;

function summary(task: Task, results: readonly ToolResult[]): Finish {
  const did = task.actions.map((action) => SAID[action.do](action));
  const joined = did.join(", then ");
  const title = [...`${joined.charAt(0).toUpperCase()}${joined.slice(1)}`].slice(0, TITLE_LIMIT).join("");
  const failed = results.find((result) => result.isError);
  if (failed && task.actions.some((action) => action.do !== "run"))
    return {
      outcome: "question",
      title: "I could not finish",
      body: `A tool answered: ${failed.text.trim()}\n\nWhat should I do instead?`,
    };
  const left = task.unclear.length === 0 ? "" : `\n\nI did not understand: ${task.unclear.join("; ")}`;
  return { outcome: "done", title, body: `${did.map((one) => `- ${one}`).join("\n")}${left}` };
}

function end(result: Finish, finish: boolean): ModelReply {
  if (finish) return use("I am done.", "finish", { ...result });
  return say(`${result.title}\n\n${result.body}`);
}
