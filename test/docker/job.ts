/**
 * A job in real containers, as the run action starts them: its own networks, gateway and agent, with a checkout of a
 * test's own. The model follows the task to the letter, so a task is what hostile code would try.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { inAgentImage } from "../../agent/action/agent-place.ts";
import { type Names, namesOf } from "../../agent/action/container-names.ts";
import { runContainers, startGateway } from "../../agent/action/containers.ts";
import { Docker } from "../../agent/action/docker.ts";
import { fencedNetworks, openNetwork, removeLeftovers } from "../../agent/action/network-fence.ts";
import { type ActionSettings, readActionSettings } from "../../agent/action/settings.ts";
import { BRIEF, type Checkout, type Files, JOB_ID, makeCheckout } from "../unit/agent-job.ts";
import { giveTo, imageOf } from "./containers.ts";

const AGENT_UID = 10_001;

export interface JobSetup {
  readonly task: string;
  readonly files?: Files;
  /** Null: the network is open. */
  readonly egress: readonly string[] | null;
  readonly provider: { readonly url: string; readonly key: string };
  /** More flags of docker, for a world that is not the internet. */
  readonly flags?: { readonly agent?: readonly string[]; readonly gateway?: readonly string[] };
  /** Further variables of the step. */
  readonly env?: Readonly<Record<string, string>>;
  /** Once the networks and the checkout are there; answers what to undo after the containers have ended. */
  readonly prepared?: (names: Names, folder: string) => Promise<() => Promise<unknown>>;
}

export interface FinishedJob {
  /** In the names of its containers and networks. */
  readonly id: string;
  readonly code: number;
  readonly failure: string | null;
  readonly checkout: Checkout;
  /** All that came out of the containers. */
  readonly output: string;
}

function settingsFor(workspace: string, temp: string, { provider, env }: JobSetup): ActionSettings {
  const read = readActionSettings({
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    DOCKER_HOST: process.env.DOCKER_HOST,
    GITHUB_REF: `refs/heads/job/${JOB_ID}`,
    GITHUB_SHA: "0".repeat(40),
    GITHUB_REPOSITORY: BRIEF.repository,
    GITHUB_SERVER_URL: "https://github.example.org",
    GITHUB_WORKSPACE: workspace,
    RUNNER_TEMP: temp,
    INPUT_AGENT_IMAGE: imageOf("agent"),
    INPUT_ANTHROPIC_API_KEY: provider.key,
    INPUT_ANTHROPIC_BASE_URL: provider.url,
    ...env,
  });
  if (!read.ok) throw new Error(read.reason);
  return read.settings;
}

/** Runs it to its end; nothing of it is left but the checkout, which is the caller's to remove. */
export async function runJob(setup: JobSetup): Promise<FinishedJob> {
  const brief = { ...BRIEF, egress: setup.egress === null ? null : [...setup.egress] };
  const checkout = makeCheckout(brief, setup.files, {}, setup.task);
  const temp = mkdtempSync(join(tmpdir(), "job-temp-"));
  const settings = settingsFor(checkout.folder, temp, setup);
  const id = randomBytes(4).toString("hex");
  const docker = new Docker(settings.docker, id, (ms) => ms);
  const names = namesOf(id);
  let output = "";
  let undo: () => Promise<unknown> = async () => {};
  const show = (row: string): void => {
    output += `${row}\n`;
  };
  try {
    const opened = await openNetwork(docker, names);
    const made = opened.ok && setup.egress !== null ? await fencedNetworks(docker, names) : opened;
    if (!made.ok) throw new Error(made.reason);
    if (setup.prepared !== undefined) undo = await setup.prepared(names, checkout.folder);
    const { agent = [], gateway = [] } = setup.flags ?? {};
    const networks = { agent: [...made.flags.agent, ...agent], gateway: [...made.flags.gateway, ...gateway] };
    await giveTo(checkout.folder, AGENT_UID);
    const parts = { docker, names, settings, brief, networks, show };
    const ended = await runContainers({
      ...{
        ...parts,
        gateway: startGateway({ ...parts, mask: () => {} }),
        place: inAgentImage(settings),
        cancelled: new AbortController().signal,
      },
      follow: async (stdout: Readable) => show(await text(stdout)),
    });
    return { id, ...ended, checkout, output };
  } finally {
    await undo();
    await giveTo(checkout.folder, process.getuid?.() ?? 0);
    await removeLeftovers(docker, names);
    rmSync(temp, { recursive: true, force: true });
  }
}
