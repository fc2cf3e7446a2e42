/**
 * Asks the run action for identity tokens of this run: a line on standard output, answered by a line on standard input.
 * Only the run action may ask GitHub for them; the right to do so never enters a container.
 */
import { createInterface } from "node:readline";
import { IDENTITY_TOKEN_WANTED, type IdentityAnswer, identityAnswerSchema } from "../../src/contracts/gateway.ts";

/** Longer than the run action waits for GitHub. */
const ANSWER_MS = 45_000;

const late: IdentityAnswer = { reason: "the run action did not answer in time", again: true };
const gone: IdentityAnswer = { reason: "the run action answers no more", again: false };

/** Each answer is a token that was given to nobody before. */
export type AskIdentity = () => Promise<IdentityAnswer>;

export function askRunAction(input: NodeJS.ReadableStream, print: (line: string) => void): AskIdentity {
  const waiting = new Set<(answer: IdentityAnswer) => void>();
  let ended = false;
  const rows = createInterface({ input });
  // A late answer serves whoever asks next.
  rows.on("line", (row) => waiting.values().next().value?.(answerIn(row)));
  rows.on("close", () => {
    ended = true;
    for (const answer of waiting) answer(gone);
  });
  return () =>
    new Promise((resolve) => {
      if (ended) return resolve(gone);
      const answer = (given: IdentityAnswer): void => {
        clearTimeout(timer);
        waiting.delete(answer);
        resolve(given);
      };
      const timer = setTimeout(answer, ANSWER_MS, late);
      waiting.add(answer);
      print(IDENTITY_TOKEN_WANTED);
    });
}

function answerIn(row: string): IdentityAnswer {
  try {
    return identityAnswerSchema.parse(JSON.parse(row));
  } catch {
    return { reason: "the run action's answer cannot be read", again: false };
  }
}
