/**
 * Measures creating a job over REST: `POST /api/create-job` answers when the branch is on GitHub, so its time is that
 * of the calls in a row plus the App's own. Compared with what others send for the same branch, on the same local
 * GitHub.
 */
import * as z from "zod";
import { WRITER } from "../sandbox/environment.ts";
import type { Call } from "../sandbox/github/main.ts";
import { type Measured, median } from "./measured.ts";
import { probotClient, startPeer, threeWrites } from "./peers.ts";
import { isToken, openStand, type Stand, until } from "./stand.ts";

const LATENCY_MS = 50;
/** With the warm-up below what the App allows itself in a minute for one repository. */
const PAIRS = 5;
const WARM_UPS = 1;
const REPOSITORIES = 8;
const FILES = { "README.md": "# Demo\n", ".github/workflows/run-job.yml": "on: push\n" };
const BURST = 20;
const BURST_REPOSITORIES = 4;

const line = (call: Call): string => `${call.kind.padEnd(5)} ${call.method} ${call.route}${graphqlOf(call)}`;
const graphqlOf = (call: Call): string => (call.graphql === undefined ? "" : ` ${call.graphql}`);

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
};

const pushSchema = z.object({ ref: z.string() });

/** Pushes that GitHub has told of, by branch. */
function pushesOf(github: Stand["github"], branch: string): number {
  return github
    .deliveries()
    .filter(({ event, payload }) => event === "push" && pushSchema.parse(payload).ref === `refs/heads/${branch}`)
    .length;
}

/** The calls and pushes of one create. */
async function counted(stand: Stand, task: string): Promise<{ calls: readonly Call[]; pushes: number }> {
  const { github } = stand;
  github.resetCalls();
  const branch = await stand.create(task);
  await github.idle();
  return { calls: github.calls(), pushes: pushesOf(github, branch) };
}

/** Repositories of other owners, an installation and so a budget of writes each. */
function addRepositories({ github }: Stand, count: number): string[] {
  return Array.from({ length: count }, (_, n) => {
    const { name } = github.createRepository({ owner: `owner-${n}`, name: "demo", files: FILES });
    github.setCollaborator(name, WRITER, "write");
    github.install(name);
    return name;
  });
}

/** A new repository is looked at by itself, after news have been held back. */
const QUIET_MS = 4_000;
async function quiet({ github }: Stand): Promise<void> {
  const begun = Date.now();
  await until(
    "the App to have looked at its repositories",
    () => Date.now() - Math.max(begun, github.calls().at(-1)?.at ?? 0) > QUIET_MS,
  );
}

/** Both in turns, until each has had enough. */
async function comparePairs(
  stand: Stand,
  way: "at once" | "after its refs",
): Promise<{ ours: number[]; theirs: number[]; calls: number }> {
  const { github } = stand;
  github.takePushes(way);
  const took = { ours: [] as number[], theirs: [] as number[] };
  let calls = 0;
  const peer = await startPeer(github);
  const repositories = addRepositories(stand, REPOSITORIES);
  await quiet(stand);
  for (const repository of repositories) {
    for (let round = -WARM_UPS; round < PAIRS; round++) {
      // GitHub tells of a push after it has answered, and from other machines: here its answer would come later for that
      github.webhooks.hold();
      const theirs = await peer.create(repository, `peer-${round}`);
      github.resetCalls();
      const ours = await timed(() => stand.create(`create FILE-${round}.md`, repository));
      github.webhooks.release();
      await github.idle();
      if (round < 0) continue;
      took.theirs.push(theirs);
      took.ours.push(ours);
      calls = Math.max(calls, github.calls().length);
    }
  }
  peer.stop();
  return { ...took, calls };
}

const MEASURED = {
  "at once": { limit: 0.25, calls: 1, what: "beside ref, commit, tree, commit, ref by plain fetch" },
  "after its refs": { limit: 0.45, calls: 2, what: "the same where the host wants to be asked for its refs before" },
} as const;

async function benchPairs(stand: Stand, way: keyof typeof MEASURED): Promise<Measured[]> {
  const { ours, theirs, calls } = await comparePairs(stand, way);
  const { limit, calls: most, what } = MEASURED[way];
  return [
    {
      what: `a create, ${what}`,
      value: median(ours.map((ms, pair) => ms / (theirs[pair] ?? Number.NaN))),
      limit,
      detail: [
        `${median(ours).toFixed(0)} ms / ${median(theirs).toFixed(0)} ms, medians of ${ours.length} in turns; the least ${Math.min(...ours).toFixed(0)} ms / ${Math.min(...theirs).toFixed(0)} ms`,
        `${LATENCY_MS} ms of each call are GitHub's, so ${most} beside five is ${(most / 5).toFixed(2)}`,
      ],
    },
    { what: "GitHub calls of such a create, warm", value: calls, limit: most, detail: [] },
  ];
}

async function withStand<T>(work: (stand: Stand) => Promise<T>): Promise<T> {
  const stand = await openStand({ actions: false, github: { latencyMs: LATENCY_MS } });
  try {
    return await work(stand);
  } finally {
    await stand.close();
  }
}

function benchOne(): Promise<Measured[]> {
  return withStand(async (stand) => {
    const cold = await counted(stand, "the first job of a server that knows nothing");
    const warm = await counted(stand, "the second one");
    const coldCalls = cold.calls.filter((call) => !isToken(call));
    return [
      ...(await benchPairs(stand, "at once")),
      { what: "GitHub calls of a create, warm", value: warm.calls.length, limit: 1, detail: warm.calls.map(line) },
      {
        what: "GitHub calls of a create, cold",
        value: coldCalls.length,
        limit: 3,
        detail: [...coldCalls.map(line), "a token apart, one an hour and installation"],
      },
      { what: "pushes of a create", value: Math.max(cold.pushes, warm.pushes), limit: 1, detail: [] },
    ];
  });
}

const isLimit = (call: Call): boolean => call.status === 403 || call.status === 429;

/** Ours on a GitHub that enforces its limits; what it must not do is fail one of them. */
async function burstOfOurs(): Promise<{ ms: number; refused: readonly Call[]; created: number; detail: string[] }> {
  const stand = await openStand({ actions: false, github: { latencyMs: LATENCY_MS, limits: "published" } });
  try {
    const names = addRepositories(stand, BURST_REPOSITORIES);
    for (const name of names) await stand.create("the first job, which reads the repository and gets the token", name);
    stand.github.resetCalls();
    const branches: string[] = [];
    const create = async (_: unknown, n: number): Promise<void> =>
      void branches.push(await stand.create(`burst ${n}`, names[n % names.length]));
    const ms = await timed(() => Promise.all(Array.from({ length: BURST }, create)));
    await stand.github.idle();
    const there = Object.assign({}, ...names.map((name) => stand.github.branches(name)));
    const calls = stand.github.calls();
    const at = calls.filter((call) => call.route.endsWith("/git-receive-pack")).map((call) => call.at);
    return {
      ms,
      refused: calls.filter(isLimit),
      created: branches.filter((branch) => branch in there).length,
      detail: [
        `${calls.length} calls to ${names.length} repositories, the pushes within ${Math.max(...at) - Math.min(...at)} ms of each other`,
        ...stand.complaints,
      ],
    };
  } finally {
    await stand.close();
  }
}

/** The same writes through Probot's own client, all handed to it at once. */
async function burstOfProbot(): Promise<number> {
  const stand = await openStand({ actions: false, github: { latencyMs: LATENCY_MS, limits: "published" } });
  try {
    const octokit = await probotClient(stand.github, stand.sandbox.installation);
    // with ten calls waiting, the token that they all need waits behind them for ever
    await octokit.apps.listReposAccessibleToInstallation();
    const branches = Array.from({ length: BURST }, (_, n) => `probot-${n}`);
    return await timed(() => Promise.all(branches.map((branch) => threeWrites(octokit, stand.github, branch))));
  } finally {
    await stand.close();
  }
}

async function benchBurst(): Promise<Measured[]> {
  const ours = await burstOfOurs();
  const theirs = await burstOfProbot();
  return [
    {
      what: `a burst of ${BURST} creates: the same ${BURST * 3} writes under Probot's default throttling, beside it`,
      value: theirs / ours.ms,
      limit: 4,
      at_least: true,
      detail: [
        `${theirs.toFixed(0)} ms / ${ours.ms.toFixed(0)} ms, ${LATENCY_MS} ms a call, published limits enforced`,
        ...ours.detail,
      ],
    },
    { what: "creates of the burst that are on GitHub", value: ours.created, limit: BURST, at_least: true, detail: [] },
    { what: "403 and 429 in the burst", value: ours.refused.length, limit: 0, detail: ours.refused.map(line) },
  ];
}

export async function benchCreate(): Promise<readonly Measured[]> {
  const afterRefs = await withStand((stand) => benchPairs(stand, "after its refs"));
  return [...(await benchOne()), ...afterRefs, ...(await benchBurst())];
}
