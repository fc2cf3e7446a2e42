/**
 * Plays one task from its comment to its merge and watches it from outside, through the local GitHub and the App's API.
 */
import { setTimeout as wait } from "node:timers/promises";
import * as z from "zod";
import { DEMO, WRITER } from "./environment.ts";
import type { SandboxGitHub } from "./github/main.ts";

export type Ending =
  | { readonly merged: true; readonly before: string; readonly after: string }
  /** `stopped`: how it ended without a merge, as a sentence. */
  | { readonly merged: false; readonly stopped: string };

export interface OnceOptions {
  readonly github: SandboxGitHub;
  readonly appUrl: string;
  readonly apiKey: string;
  readonly task: string;
  /** Without news for this long, the job is stuck. */
  readonly timeoutMs: number;
  readonly gone: Promise<number | null>;
  /** Resolves when GitHub and its runner have nothing left to do. */
  idle(): Promise<void>;
}

const ENDED = new Set(["completed", "failed", "merged"]);

const statusSchema = z.object({ status: z.string(), pr_url: z.string().nullish(), log: z.string().nullish() });

const LOOK_EVERY_MS = 50;
/** An effect may be delayed for longer without anything to show. */
const QUIET_MS = 5_000;
const OWED = /^journeyman_(?:effects|deliveries)_pending [1-9]/m;

/**
 * The App updates the comment after the job's last state: waits until it has no pending effects, or makes no more
 * calls.
 */
async function untilSaid({ github, appUrl, apiKey, idle }: OnceOptions): Promise<void> {
  let lastEventAt = performance.now();
  const stopListening = github.onChange(() => {
    lastEventAt = performance.now();
  });
  const owes = async (): Promise<boolean> => {
    const answer = await fetch(`${appUrl}/metrics`, { headers: { "x-api-key": apiKey } });
    return OWED.test(await answer.text());
  };
  await idle();
  while ((await owes()) && performance.now() - lastEventAt < QUIET_MS) {
    await wait(LOOK_EVERY_MS);
    await idle();
  }
  stopListening();
}

/** Calls back after each change on GitHub, and when there was none for too long; the first result ends the wait. */
function untilAnswered<T>(options: OnceOptions, ask: () => Promise<T | null>, stuck: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout;
    let asking: Promise<void> = Promise.resolve();
    const finish = (answer: T): void => {
      clearTimeout(timer);
      stopListening();
      resolve(answer);
    };
    const look = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => finish(stuck()), options.timeoutMs);
      asking = asking.then(ask).then((answer) => (answer === null ? undefined : finish(answer)), reject);
    };
    const stopListening = options.github.onChange(look);
    look();
  });
}

export async function runOnce(options: OnceOptions): Promise<Ending> {
  const { github } = options;
  const before = github.branches(DEMO).main ?? "";
  const issue = github.openIssue(DEMO, { title: [...options.task].slice(0, 72).join(""), by: WRITER });
  github.comment(DEMO, issue, { body: `/job ${options.task}`, by: WRITER });

  let job: string | null = null;
  const findJob = (): string | null => {
    const branch = Object.keys(github.branches(DEMO)).find((name) => name.startsWith("job/"));
    return branch === undefined ? null : branch.slice("job/".length);
  };
  const status = async (): Promise<z.infer<typeof statusSchema> | null> => {
    const answer = await fetch(`${options.appUrl}/api/jobs/status?job_id=${job}`, {
      headers: { "x-api-key": options.apiKey },
    });
    return answer.ok ? statusSchema.parse(await answer.json()) : null;
  };
  /** The job's comment is its first; later ones only call somebody to it. */
  const lastWord = (): string => {
    const [, ...replies] = github.comments(DEMO, issue);
    return replies.map(({ body }) => body).join("\n\n") || "no comment was written";
  };

  const look = async (): Promise<Ending | null> => {
    job ??= findJob();
    if (job === null) return null;
    const known = await status();
    if (known === null || !ENDED.has(known.status)) return null;
    await untilSaid(options);
    if (known.status === "merged") return { merged: true, before, after: github.branches(DEMO).main ?? "" };
    return {
      merged: false,
      stopped: `The job ended as ${known.status} and was not merged. The App says:\n\n${lastWord()}`,
    };
  };
  const stuck = (): Ending => ({
    merged: false,
    stopped: `Nothing has happened for ${options.timeoutMs / 1000} s. The App's last word:\n\n${lastWord()}`,
  });
  const died = options.gone.then((code): Ending => ({ merged: false, stopped: `The App ended with ${code}.` }));
  return Promise.race([untilAnswered(options, look, stuck), died]);
}
