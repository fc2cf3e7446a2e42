/**
 * The loop: ask the model, use its tools, answer all of its calls together, until something stops it.
 * It knows neither provider nor sandbox. Each limit is checked before the call that would pass it.
 */
import type { ContentBlockParam, Message, ToolUseBlock } from "@anthropic-ai/sdk/resources/messages";
import { type Conversation, ROOM_TOKENS } from "./conversation.ts";
import type { Interruption } from "./interruption.ts";
import { type Limits, limitReached, tokensOf } from "./limits.ts";
import type { Ask } from "./provider.ts";
import type { Stop } from "./stop.ts";
import { describeCall, TOOLS, type Toolbox, useTool } from "./tools/toolbox.ts";
import type { Log } from "./transcript/log.ts";
import type { Tally } from "./usage.ts";

/** Answers in a row that cannot be used before the run is given up. */
const MAX_BAD_ANSWERS = 3;

export interface Run {
  readonly system: string;
  readonly model: string;
  readonly maxTokens: number;
  readonly limits: Limits;
  readonly conversation: Conversation;
  readonly ask: Ask;
  readonly box: Toolbox;
  readonly tally: Tally;
  readonly log: Log;
  readonly interruption: Interruption;
  readonly elapsedMs: () => number;
  /** Told what the model says beside its calls. */
  readonly onWords: (text: string) => void;
}

type Step =
  | { readonly kind: "stop"; readonly stop: Stop }
  | { readonly kind: "reply"; readonly reply: ContentBlockParam[]; readonly bad: string | null };

export async function runLoop(run: Run, first: string): Promise<Stop> {
  let reply: ContentBlockParam[] = [{ type: "text", text: first }];
  let bad = 0;
  for (;;) {
    const stop = run.interruption.stop ?? limitBefore(run, reply);
    if (stop !== null) return stop;
    run.conversation.add("user", reply);
    if (run.tally.known > ROOM_TOKENS) {
      const left = run.conversation.makeRoom();
      if (left > 0) run.log.info(`Left out ${left} old outputs to make room.`);
    }
    const asked = await run.ask(
      {
        model: run.model,
        max_tokens: run.maxTokens,
        system: [{ type: "text", text: run.system, cache_control: { type: "ephemeral" } }],
        tools: [...TOOLS],
        messages: run.conversation.messages(),
      },
      run.interruption.signal,
    );
    if (!asked.ok) return run.interruption.stop ?? asked.stop;
    run.tally.add(asked.message.usage);
    run.conversation.add("assistant", asked.message.content);
    const step = await takeStep(run, asked.message);
    if (step.kind === "stop") return step.stop;
    bad = step.bad === null ? 0 : bad + 1;
    if (step.bad !== null) run.log.warn(`Unusable answer ${bad} of ${MAX_BAD_ANSWERS}: ${step.bad}`);
    if (step.bad !== null && bad >= MAX_BAD_ANSWERS) return { kind: "bad_format", times: bad, last: step.bad };
    reply = step.reply;
  }
}

function limitBefore(run: Run, reply: readonly ContentBlockParam[]): Stop | null {
  const first = run.tally.usage.turns === 0 ? run.system.length + JSON.stringify(TOOLS).length : 0;
  return limitReached({
    limits: run.limits,
    model: run.model,
    usage: run.tally.usage,
    elapsedMs: run.elapsedMs(),
    next: {
      known: run.tally.known,
      fresh: tokensOf(JSON.stringify(reply).length + first),
      answer: run.maxTokens,
    },
  });
}

async function takeStep(run: Run, message: Message): Promise<Step> {
  const words = message.content.flatMap((block) => (block.type === "text" ? [block.text.trim()] : [])).join("\n");
  if (words !== "") {
    run.log.info(words);
    run.onWords(words);
  }
  const calls = message.content.filter((block) => block.type === "tool_use");
  switch (message.stop_reason) {
    case "refusal":
      return { kind: "stop", stop: { kind: "refused_by_provider", text: words } };
    case "model_context_window_exceeded":
      return { kind: "stop", stop: { kind: "conversation_full" } };
    case "max_tokens":
      return cutShort(run.maxTokens, calls);
    case "pause_turn":
      return { kind: "reply", reply: [], bad: null };
    default:
      return calls.length === 0 ? endedWithoutFinish() : useTools(run, calls);
  }
}

/** The last call of a cut answer may be torn, so none of them is run. */
function cutShort(maxTokens: number, calls: readonly ToolUseBlock[]): Step {
  const bad = `the answer was cut at ${maxTokens} tokens`;
  const say = `Your answer was cut at ${maxTokens} tokens, so nothing of it was run. Go on in smaller pieces.`;
  const reply: ContentBlockParam[] = calls.map((call) => toolResult(call, say, true));
  return { kind: "reply", reply: reply.length > 0 ? reply : [{ type: "text", text: say }], bad };
}

function endedWithoutFinish(): Step {
  const say = "That was not a tool call. Go on with the task, or call `finish` if nothing is left to do.";
  return { kind: "reply", reply: [{ type: "text", text: say }], bad: "it had no tool call" };
}

/** In order, one after the other: calls of one answer build on each other. All answers go back in one message. */
async function useTools(run: Run, calls: readonly ToolUseBlock[]): Promise<Step> {
  const reply: ContentBlockParam[] = [];
  let malformed: string | null = null;
  let usable = false;
  let finished: Stop | null = null;
  for (const call of calls) {
    if (run.interruption.stop !== null) return { kind: "stop", stop: run.interruption.stop };
    run.log.info(`turn ${run.tally.usage.turns}: ${describeCall(call)}`);
    const end = await useTool(run.box, call, run.interruption.signal);
    if (end.kind === "finished") {
      finished ??= end.stop;
      continue;
    }
    const failed = end.kind === "malformed" || end.failed;
    if (end.kind === "malformed") malformed = end.text;
    else usable = true;
    if (failed) run.log.warn(end.text.slice(-1_000));
    reply.push(toolResult(call, end.text, failed));
  }
  if (finished !== null) return { kind: "stop", stop: finished };
  return { kind: "reply", reply, bad: usable ? null : malformed };
}

const toolResult = (call: ToolUseBlock, text: string, failed: boolean): ContentBlockParam => ({
  type: "tool_result",
  tool_use_id: call.id,
  content: text,
  ...(failed ? { is_error: true } : {}),
});
