/**
 * Counts the calls of a whole job, from the `/job` comment to the merge: the writes of one job decide how many jobs an
 * installation can run in an hour. A deletion creates no content, so it is listed and not counted.
 */

import { DEMO, WRITER } from "../sandbox/environment.ts";
import type { Call } from "../sandbox/github/main.ts";
import { defaultScript } from "../sandbox/model/default-script.ts";
import type { Script } from "../sandbox/model/protocol.ts";
import type { Measured } from "./measured.ts";
import { isToken, openStand, type Stand, until } from "./stand.ts";

const WRITES = 6;
const READS = 3;
/** Longer than any edit is held back: what has not been written by then is not written. */
const QUIET_MS = 16_000;
/** Longer than the gap between two edits of the comment. */
const THINKING_MS = 12_000;

/** A CI that takes its time, so that the pull request is told of before it is merged. */
const SLOW_CI = `name: CI
on:
  pull_request:
permissions:
  contents: read
jobs:
  test:
    runs-on: ubuntu-latest
    timeout-minutes: 5
    steps:
      - name: Test
        run: sleep ${THINKING_MS / 1000}
`;

interface Variant {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  /** Jobs one after the other, of which the first finds a process that knows nothing of the repository. */
  readonly tasks: readonly string[];
  /** GitHub's own setting, "automatically delete head branches". */
  readonly deletes_branches: boolean;
  readonly script: Script;
  /** What its circumstances cost beyond {@link WRITES}. */
  readonly more_writes: number;
}

/** Thinks long before its first step, as real models do over a whole job. */
const slowScript: Script = async (request) => {
  const reply = await defaultScript(request);
  const first = !request.messages.some((message) => message.role === "assistant");
  return first && "content" in reply && !("cut" in reply) ? { ...reply, delayMs: THINKING_MS } : reply;
};

const HELLO = "create HELLO.md that says hello";

const VARIANTS: readonly Variant[] = [
  {
    name: "in a repository that deletes merged branches",
    tasks: [HELLO, "create BYE.md that says bye"],
    files: {},
    deletes_branches: true,
    script: defaultScript,
    more_writes: 0,
  },
  {
    name: `in such a one, with a model that takes ${THINKING_MS / 1000} s`,
    tasks: [HELLO],
    files: {},
    deletes_branches: true,
    script: slowScript,
    more_writes: 0,
  },
  {
    name: `in one that does not, with a model and a CI that take ${THINKING_MS / 1000} s each`,
    tasks: [HELLO],
    files: { ".github/workflows/ci.yml": SLOW_CI },
    deletes_branches: false,
    script: slowScript,
    // the comment tells of the pull request while CI takes its time, if the installation is not short of writes
    more_writes: 1,
  },
];

/** Comments, and answers the calls of everything that follows. */
async function played({ github, sandbox }: Stand, task: string): Promise<{ calls: readonly Call[]; took_ms: number }> {
  const issue = github.openIssue(DEMO, { title: "Something to do", body: "As the comment says.", by: WRITER });
  await github.idle();
  github.resetCalls();
  const merged = (): number => github.pulls(DEMO).filter((pull) => pull.merged).length;
  const [begun, before] = [Date.now(), merged()];
  github.comment(DEMO, issue, { body: `/job ${task}`, by: WRITER });
  await until("the merge", () => merged() > before);
  const took_ms = Date.now() - begun;
  await until("the branch to be gone", () => Object.keys(github.branches(DEMO)).join() === "main");
  await sandbox.idle();
  const last = (): number => github.calls().at(-1)?.at ?? begun;
  await until("the App's last word", () => Date.now() - last() > QUIET_MS);
  const said = github.comments(DEMO, issue).at(-1)?.body ?? "";
  if (!said.includes("merged")) throw new Error(`the comment does not tell of the merge: ${said}`);
  return { calls: github.calls().filter((call) => call.actor === "installation" || call.actor === "app"), took_ms };
}

/** One by one, in their order, with the seconds since the comment. */
function listed(calls: readonly Call[]): string[] {
  const begun = calls[0]?.at ?? 0;
  return calls.map(({ at, kind, method, route, graphql = "" }) =>
    `${((at - begun) / 1000).toFixed(1).padStart(5)} s  ${kind.padEnd(5)}  ${method} ${route} ${graphql}`.trimEnd(),
  );
}

async function measure(stand: Stand, task: string, what: string, most_writes: number): Promise<Measured[]> {
  const { calls, took_ms } = await played(stand, task);
  const tokens = calls.filter(isToken);
  const writes = calls.filter((call) => call.kind === "write" && call.method !== "DELETE" && !isToken(call));
  const reads = calls.filter((call) => call.kind === "read");
  return [
    {
      what: `writes of ${what}`,
      value: writes.length,
      limit: most_writes,
      detail: [
        `${(took_ms / 1000).toFixed(1)} s from the comment to the merge; ${Math.floor(500 / writes.length)} such jobs an hour`,
        ...listed(calls),
        ...stand.complaints,
      ],
    },
    {
      what: "reads of the same job",
      value: reads.length,
      limit: READS,
      detail: tokens.length === 0 ? [] : [`${tokens.length} token apart, one an hour and installation`],
    },
  ];
}

async function benchVariant(variant: Variant): Promise<Measured[]> {
  const { name, tasks, files, deletes_branches, script, more_writes } = variant;
  const stand = await openStand({ script, files });
  const measured: Measured[] = [];
  try {
    stand.github.setRepository(DEMO, { deleteBranchOnMerge: deletes_branches });
    for (const [index, task] of tasks.entries()) {
      const which = index === 0 ? "a whole job" : "another job after it";
      measured.push(...(await measure(stand, task, `${which} ${name}`, WRITES + more_writes)));
    }
    return measured;
  } finally {
    await stand.close();
  }
}

export async function benchJob(): Promise<readonly Measured[]> {
  const measured: Measured[] = [];
  for (const variant of VARIANTS) measured.push(...(await benchVariant(variant)));
  return measured;
}
