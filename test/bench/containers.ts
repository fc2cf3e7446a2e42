/**
 * Measures a job in real containers: the time until the run action's step first asks the model, and the time from
 * comment to merge. The model is scripted, everything else is real; the images are built before.
 */
import { builtProgram, setup } from "../build.ts";
import { buildImages, outputOrNull } from "../docker/build-images.ts";
import { DEMO, DEMO_SETTINGS, WRITER } from "../sandbox/environment.ts";
import { defaultScript } from "../sandbox/model/default-script.ts";
import { type Measured, median } from "./measured.ts";
import { openStand, until } from "./stand.ts";

/** The first is not counted: it warms the engine's caches. */
const JOBS = 4;
const STEP = /##\[group\]Run \S+\/run-job@/;

interface Variant {
  readonly name: string;
  readonly settings: string;
  readonly seconds: number;
}

const VARIANTS: readonly Variant[] = [
  { name: "open", settings: DEMO_SETTINGS, seconds: 1 },
  { name: "fenced", settings: `${DEMO_SETTINGS}egress: []\n`, seconds: 1.8 },
];
const WHOLE_SECONDS = 5;

/** Milliseconds since the comment. */
interface Times {
  readonly step: number;
  readonly first_call: number;
  readonly pull_request: number;
  readonly merge: number;
}

async function playJobs({ settings }: Variant, image: string): Promise<readonly Times[]> {
  let step = 0;
  let first_call = 0;
  const stand = await openStand({
    program: builtProgram,
    settings,
    containers: { choice: "docker", image, environment: process.env },
    script: (request) => {
      if (first_call === 0) first_call = performance.now();
      return defaultScript(request);
    },
    onLog: (text) => {
      if (STEP.test(text)) step = performance.now();
    },
  });
  const times: Times[] = [];
  try {
    const { github } = stand;
    for (let job = 0; job < JOBS; job++) {
      const issue = github.openIssue(DEMO, { title: "Something to do", body: "As the comment says.", by: WRITER });
      first_call = 0;
      const begun = performance.now();
      github.comment(DEMO, issue, { body: `/job create HELLO-${job}.md that says hello`, by: WRITER });
      await until("the pull request", () => github.pulls(DEMO).length > job);
      const pull_request = performance.now() - begun;
      await until("the merge", () => github.pulls(DEMO).filter(({ merged }) => merged).length > job);
      const merge = performance.now() - begun;
      times.push({ step: step - begun, first_call: first_call - begun, pull_request, merge });
      await stand.sandbox.idle();
    }
  } finally {
    await stand.close();
  }
  return times.slice(1);
}

const inSeconds = (ms: number): string => (ms / 1_000).toFixed(2);
const each = (times: readonly number[]): string => `each: ${times.map(inSeconds).join(", ")}`;

function partsOf(times: readonly Times[]): string {
  const part = (name: keyof Times): string => inSeconds(median(times.map((one) => one[name])));
  return `the action begins after ${part("step")}, asks the model after ${part("first_call")}, the pull request is there after ${part("pull_request")}`;
}

export async function benchContainers(): Promise<readonly Measured[]> {
  if (outputOrNull("docker", "version") === null) {
    process.stdout.write("  left out, since no Docker engine answers\n");
    return [];
  }
  const { agent } = buildImages();
  await setup();
  const results: Measured[] = [];
  for (const variant of VARIANTS) {
    const times = await playJobs(variant, agent);
    const calls = times.map(({ step, first_call }) => first_call - step);
    const merges = times.map(({ merge }) => merge);
    results.push(
      {
        what: `seconds from the run action's step to the first model call, ${variant.name}`,
        value: median(calls) / 1_000,
        limit: variant.seconds,
        detail: [each(calls)],
      },
      {
        what: `seconds from the comment to the merge, ${variant.name}`,
        value: median(merges) / 1_000,
        limit: WHOLE_SECONDS,
        detail: [each(merges), partsOf(times)],
      },
    );
  }
  return results;
}
