/**
 * The agent loop: asks the model, runs its tool calls, returns all results together, and repeats until something stops
 * it. Independent of provider and sandbox. Every limit is checked before the call that could exceed it.
 */
import type { ContentBlockParam, ToolUseBlock } from "@anthropic-ai/sdk/resources/messages";
import { counted } from "../../src/text/plural.ts";
import { tail } from "../../src/text/text.ts";
import type { Ask, ModelReply } from "../provider/provider.ts";
import type { UsageCounter } from "../provider/usage.ts";
import { describeCall, TOOLS, type Toolbox, type ToolEnd, useTool } from "../tools/toolbox.ts";
import type { Log } from "../transcript/log.ts";
import type { Cancellation } from "./cancellation.ts";
import { type Conversation, KEPT_WHEN_FULL, type Room } from "./conversation.ts";
import { boundOf } from "./images.ts";
import { type Allowed, allowNext, type Limits, tokensOf } from "./limits.ts";
import type { Stop } from "./stop-reasons.ts";

/** Consecutive unusable answers before the run is given up. */
const MAX_BAD_ANSWERS = 3;
/** Consecutive interrupted answers before the provider counts as down. */
const MAX_BROKEN = 5;
/** Before an interrupted answer is requested again; doubles each time. */
const BROKEN_PAUSE_MS = 1_000;

export interface Run {
  readonly system: string;
  readonly model: string;
  /** Per answer. */
  readonly maxTokens: number;
  readonly room: Room;
  readonly limits: Limits;
  readonly conversation: Conversation;
  readonly ask: Ask;
  readonly box: Toolbox;
  readonly usageCounter: UsageCounter;
  readonly log: Log;
  readonly cancellation: Cancellation;
  readonly elapsedMs: () => number;
  /** Waits; an aborted signal ends the wait early. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Refusals of the proxy since the last call, in sentences. */
  readonly refused: () => Promise<readonly string[]>;
  /** Called with the text that the model writes beside its calls. */
  readonly onText: (text: string) => void;
}

type Step =
  | { readonly kind: "stop"; readonly stop: Stop }
  | { readonly kind: "reply"; readonly reply: ContentBlockParam[]; readonly bad: string | null };

type Stopped = Extract<ModelReply, { kind: "stopped" }>;
type CompleteReply = Extract<ModelReply, { kind: "answered" }> & {
  /** The token limit that the answer had. */ readonly maxTokens: number;
};
type Reply = Extract<Step, { kind: "reply" }>;

export async function runLoop(run: Run, first: ContentBlockParam[]): Promise<Stop> {
  let reply = first;
  let bad = 0;
  for (;;) {
    const fresh = boundOf(reply, tokensOf) + (run.usageCounter.usage.turns === 0 ? tokensOf(fixedLength(run)) : 0);
    const allowed = allow(run, fresh);
    if (allowed.kind === "stop") return allowed.stop;
    run.conversation.add("user", reply);
    if (run.usageCounter.known > run.room.most) {
      dropOldOutputs(run);
      // An answer with many calls can fill the window alone. Removing little would have to be repeated in the next
      // turn, and each time invalidates the cache.
      if (run.usageCounter.known > run.room.enough) dropOldOutputs(run, KEPT_WHEN_FULL);
    }
    const asked = await askUntilComplete(run, fresh, allowed.answer);
    if (asked.kind === "stopped") return run.cancellation.stop ?? asked.stop;
    run.usageCounter.add(asked.message.usage);
    run.conversation.add("assistant", asked.message.content);
    const step = await handleReply(run, asked);
    if (step.kind === "stop") return step.stop;
    bad = step.bad === null ? 0 : bad + 1;
    if (step.bad !== null) run.log.warn(`Unusable model answer ${bad} of ${MAX_BAD_ANSWERS}: ${step.bad}`);
    if (step.bad !== null && bad >= MAX_BAD_ANSWERS) return { kind: "bad_format", times: bad, last: step.bad };
    reply = step.reply;
  }
}

const fixedLength = (run: Run): number => run.system.length + JSON.stringify(TOOLS).length;

/** Returns whether anything could be removed. */
function dropOldOutputs(run: Run, kept?: number): boolean {
  const characters = run.conversation.dropOldOutputs(kept);
  if (characters === 0) return false;
  // Four characters per token underestimates what was freed.
  run.usageCounter.forget(Math.floor(characters / 4));
  run.log.info(`Left out ${counted(characters, "character")} of old outputs to stay within the model's window.`);
  return true;
}

const request = (run: Run, maxTokens: number): Parameters<Ask>[0] => ({
  model: run.model,
  max_tokens: maxTokens,
  system: [{ type: "text", text: run.system, cache_control: { type: "ephemeral" } }],
  tools: [...TOOLS],
  messages: run.conversation.messages(),
});

/**
 * Repeats the request until an answer is complete. Interrupted answers were charged, so the limits are checked before
 * each repetition.
 */
async function askUntilComplete(run: Run, fresh: number, answer: number): Promise<CompleteReply | Stopped> {
  let maxTokens = answer;
  let emptied = false;
  for (let broken = 1; ; ) {
    const asked = await run.ask(request(run, maxTokens), run.cancellation.signal);
    if (asked.kind === "answered") return { ...asked, maxTokens };
    if (asked.kind === "stopped") {
      if (asked.stop.kind === "conversation_full" && !emptied && dropOldOutputs(run, KEPT_WHEN_FULL)) {
        emptied = true;
        continue;
      }
      if (asked.rejected === undefined || !run.conversation.dropImages(asked.rejected)) return asked;
      run.log.warn(`An image was left out, since the provider rejected the request: ${asked.rejected}`);
      continue;
    }
    if (asked.used !== null) run.usageCounter.addBroken(asked.used);
    run.log.warn(`The model's answer broke off (${broken} of ${MAX_BROKEN}): ${asked.reason}`);
    if (broken >= MAX_BROKEN) {
      const reason = `${broken} answers of the provider broke off in a row. The last one: ${asked.reason}`;
      return { kind: "stopped", stop: { kind: "provider_down", reason } };
    }
    await run.pause(BROKEN_PAUSE_MS * 2 ** (broken - 1), run.cancellation.signal);
    const allowed = allow(run, fresh);
    if (allowed.kind === "stop") return { kind: "stopped", stop: allowed.stop };
    maxTokens = allowed.answer;
    broken += 1;
  }
}

function allow(run: Run, fresh: number): Allowed {
  if (run.cancellation.stop !== null) return { kind: "stop", stop: run.cancellation.stop };
  return allowNext({
    limits: run.limits,
    model: run.model,
    turns: run.usageCounter.usage.turns,
    spentCents: run.usageCounter.cents,
    elapsedMs: run.elapsedMs(),
    next: { known: run.usageCounter.known, fresh, answer: run.maxTokens },
  });
}

async function handleReply(run: Run, { message, torn, lowered, maxTokens }: CompleteReply): Promise<Step> {
  const text = message.content.flatMap((block) => (block.type === "text" ? [block.text.trim()] : [])).join("\n");
  if (text !== "") {
    run.log.info(text);
    run.onText(text);
  }
  const calls = message.content.filter((block) => block.type === "tool_use");
  switch (message.stop_reason) {
    case "refusal":
      return { kind: "stop", stop: { kind: "refused_by_provider", text: text } };
    case "model_context_window_exceeded":
      if (!dropOldOutputs(run, KEPT_WHEN_FULL)) return { kind: "stop", stop: { kind: "conversation_full" } };
      return cutShort("at the end of the window", calls);
    case "max_tokens":
      if (lowered === null) return cutShort(`at ${maxTokens} tokens`, calls);
      // The model did nothing wrong, and the next call costs again: the cost limit ends the run.
      return { ...cutShort(`at ${lowered} tokens, since the cost limit allows no more`, calls), bad: null };
    case "pause_turn":
      return { kind: "reply", reply: [], bad: null };
    default:
      return calls.length === 0 ? withoutToolCall() : useTools(run, calls, torn);
  }
}

/** The last call of a cut answer may be incomplete, so none of them is run. */
function cutShort(where: string, calls: readonly ToolUseBlock[]): Reply {
  const bad = `the answer was cut ${where}`;
  const say = `Your answer was cut ${where}, so nothing of it was run. Go on in smaller pieces.`;
  const reply: ContentBlockParam[] = calls.map((call) => toolResult(call, say, true));
  return { kind: "reply", reply: reply.length > 0 ? reply : [{ type: "text", text: say }], bad };
}

function withoutToolCall(): Step {
  const say = "That was not a tool call. Go on with the task, or call `finish` if nothing is left to do.";
  return { kind: "reply", reply: [{ type: "text", text: say }], bad: "it held no tool call" };
}

/** Runs calls in order, since calls of one answer build on each other. All results go back in one message. */
async function useTools(run: Run, calls: readonly ToolUseBlock[], torn: ReadonlySet<string>): Promise<Step> {
  const reply: ContentBlockParam[] = [];
  let malformed: string | null = null;
  let usable = false;
  let finished: Stop | null = null;
  for (const call of calls) {
    if (run.cancellation.stop !== null) return { kind: "stop", stop: run.cancellation.stop };
    run.log.info(`turn ${run.usageCounter.usage.turns}: ${describeCall(call)}`);
    const end = torn.has(call.id) ? TORN_INPUT : await useTool(run.box, call, run.cancellation.signal);
    if (end.kind === "finished") {
      finished ??= end.stop;
      continue;
    }
    const failed = end.kind === "malformed" || end.failed;
    if (end.kind === "malformed") malformed = end.text;
    else usable = true;
    if (failed) run.log.warn(tail(end.text, 1_000));
    const refusals = await run.refused();
    for (const sentence of refusals) run.log.warn(sentence);
    reply.push(toolResult(call, [end.text, ...refusals].join("\n"), failed));
  }
  if (finished !== null) return { kind: "stop", stop: finished };
  return { kind: "reply", reply, bad: usable ? null : malformed };
}

/** Input that the SDK had to repair is not what the model meant. */
const TORN_INPUT: ToolEnd = {
  kind: "malformed",
  text: "The input was not a complete JSON object, so nothing was run. Send it again.",
};

const toolResult = (call: ToolUseBlock, text: string, failed: boolean): ContentBlockParam => ({
  type: "tool_result",
  tool_use_id: call.id,
  content: text,
  ...(failed ? { is_error: true } : {}),
});
