/** Prepares the job: its commit, the files, their owner and the networks. */

import type { Cache } from "../../src/contracts/cache.ts";
import { type AgentPlace, inAgentImage, inOwnImage, withCache } from "./agent-place.ts";
import { type ActionBrief, readPushedBrief } from "./brief.ts";
import { restoreCache } from "./cache.ts";
import {
  asksForPart,
  type Base,
  checkOut,
  copyForAgent,
  fetchInstructions,
  fetchJob,
  findBase,
  type Source,
} from "./checkout.ts";
import { tellAgent } from "./conflicts.ts";
import type { Names } from "./container-names.ts";
import { type Gateway, startGateway } from "./containers.ts";
import type { Docker } from "./docker.ts";
import type { Git } from "./git.ts";
import { beginMerge, type Conflicts } from "./merge.ts";
import { fencedNetworks, type MadeNetworks, type Networks, openNetwork } from "./network-fence.ts";
import { type PreparedImage, prepareOwnImage } from "./own-image.ts";
import type { Ownership } from "./ownership.ts";
import { copyDefaultFiles, removeSetUpFiles } from "./set-up-files.ts";
import type { ActionSettings } from "./settings.ts";
import { removeState, type State, saveState } from "./state.ts";
import { emptyWorkspace } from "./workspace.ts";

export interface PreparePorts {
  readonly settings: ActionSettings;
  readonly git: Git;
  readonly docker: Docker;
  readonly names: Names;
  readonly ownership: Ownership;
  readonly show: (text: string) => void;
  readonly mask: (secret: string) => void;
}

export interface Prepared {
  readonly brief: ActionBrief;
  readonly networks: Networks;
  readonly gateway: Gateway;
  readonly place: AgentPlace;
  readonly state: State;
}

/**
 * `reason` is a sentence of our own. A state is saved if there is one, so that the job's comment can show the reason.
 */
export type Preparation = ({ readonly ok: true } & Prepared) | { readonly ok: false; readonly reason: string };

const failed = (reason: string): Preparation => ({ ok: false, reason });

const NOTHING_YET = {
  ...{ checked_out: false, base_known: false, merge_base: null },
  ...{
    merged: false,
    conflicts: [],
    unmarked: [],
    own_image: false,
    cached: false,
    failure: null,
    image_problem: null,
  },
};

const NO_CONFLICTS: Conflicts = { conflicts: [], unmarked: [] };

const NOT_OURS =
  "The workspace holds files of another user that cannot be removed. Remove them by hand, or give the runner's user " +
  "passwordless sudo or a Docker that can change their owner";
const NOT_GIVEN =
  "The runner cannot change the owner of the checkout to the agent's user; give the runner's user " +
  "root rights, passwordless sudo, or a Docker that can change owners";

export async function prepare(ports: PreparePorts): Promise<Preparation> {
  const { settings, git, docker, names } = ports;
  const { jobId, githubToken: token, sha, branch, repository, serverUrl } = settings;
  const source: Source = { sha, branch, repository, serverUrl, token };
  saveState(settings.folder, { ...NOTHING_YET, head: sha });
  // Docker and git work in parallel.
  const opened = openNetwork(docker, names);
  const [notEmpty] = await Promise.all([
    emptyWorkspace(settings.workspace, ports.ownership, git.repository.environment),
    fetchJob(git, source, asksForPart(settings.eventPath)),
  ]);
  if (notEmpty !== null) return failed(`${NOT_OURS}: ${notEmpty}.`);
  const read = await readPushedBrief(git, { sha, jobId, token });
  if (!read.ok) {
    removeState(settings.folder);
    return failed(`The agent was not started: ${read.reason}.`);
  }
  const { brief } = read;
  saveState(settings.folder, {
    ...NOTHING_YET,
    head: sha,
    own_image: brief.container !== null,
    cached: brief.cache !== null,
  });
  const base = findBase(git, source, read);
  const globs = brief.container?.setup_paths;
  // not beside the checkout, where two fetches would meet
  const files = globs === undefined ? null : await copyDefaultFiles(ports, { brief, globs, base: await base });
  const [started, placed, restored, state] = await Promise.all([
    startNetworkAndGateway(ports, opened, brief),
    findPlace(ports, brief, files),
    brief.cache === null ? false : restore(ports, brief, brief.cache),
    fillWorkspace(ports, source, brief, base),
  ]);
  removeSetUpFiles(settings);
  const given = started.ok && placed.ok ? await ports.ownership.give() : null;
  const failure = [started, placed].find((one) => !one.ok);
  const reason = failure?.ok === false ? failure.reason : given === null ? null : `${NOT_GIVEN}: ${given}.`;
  const image_problem = placed.ok ? null : placed.image_problem;
  saveState(settings.folder, { ...state, failure: reason, image_problem });
  return started.ok && placed.ok && reason === null
    ? { ...started, place: restored ? withCache(placed.place, names, brief) : placed.place, brief, state }
    : failed(reason ?? "");
}

const restore = ({ git, docker, names, settings, show }: PreparePorts, { container }: ActionBrief, cache: Cache) =>
  restoreCache({
    ...{ git, docker, names, show, image: settings.image, access: settings.cacheAccess, sha: settings.sha },
    source: { cache, container, image: settings.image },
  });

type Placed = { readonly ok: true; readonly place: AgentPlace } | Extract<PreparedImage, { ok: false }>;

async function findPlace(
  { docker, names, settings, show }: PreparePorts,
  { container }: ActionBrief,
  files: string | null,
): Promise<Placed> {
  if (container === null) return { ok: true, place: inAgentImage(settings) };
  const made = await prepareOwnImage({ docker, names, agentImage: settings.image, container, files, show });
  return made.ok ? { ok: true, place: inOwnImage(made.image, names) } : made;
}

const RERUN =
  "The agent was not started: this run was started again on GitHub, where it has no part of the repository's budget. Say " +
  "`/job retry` instead.";

type StartedGateway =
  | { readonly ok: true; readonly networks: Networks; readonly gateway: Gateway }
  | { readonly ok: false; readonly reason: string };

/** Creates the networks and starts the gateway on them. */
async function startNetworkAndGateway(
  ports: PreparePorts,
  opened: Promise<MadeNetworks>,
  brief: ActionBrief,
): Promise<StartedGateway> {
  const { docker, names, settings, show, mask } = ports;
  const { federation, unused } = settings.provider;
  if (typeof federation === "string") return { ok: false, reason: `The agent was not started: ${federation}.` };
  if (brief.budgeted === true && (settings.runAttempt ?? 1) > 1) return { ok: false, reason: RERUN };
  if (unused !== null) show(unused);
  const open = await opened;
  const made = !open.ok || brief.egress === null ? open : await fencedNetworks(docker, names);
  if (!made.ok) return made;
  const networks = made.flags;
  return { ok: true, networks, gateway: startGateway({ docker, names, settings, brief, networks, show, mask }) };
}

/** Fills the workspace, with the agent's repository next to the files. */
async function fillWorkspace(
  { git, settings, show }: PreparePorts,
  source: Source,
  brief: ActionBrief,
  findingBase: Promise<Base>,
): Promise<State> {
  const [base] = await Promise.all([findingBase, checkOut(git, source, brief)]);
  if (!base.known)
    show(`The base commit ${brief.base.sha} could not be fetched, so its AGENTS.md and CLAUDE.md are not used.`);
  const merged = brief.merge_base === true && base.merge_base !== null && base.merge_base !== brief.base.sha;
  const { conflicts, unmarked } = merged ? await beginMerge(git, brief.base.sha, source.token) : NO_CONFLICTS;
  tellAgent(git.repository.workTree, settings.jobId, unmarked);
  if (base.known) await fetchInstructionsOf(git, brief, source);
  await copyForAgent(git);
  const state: State = {
    head: settings.sha,
    checked_out: true,
    base_known: base.known,
    merge_base: base.merge_base,
    merged,
    conflicts: [...conflicts],
    unmarked: [...unmarked],
    own_image: brief.container !== null,
    cached: brief.cache !== null,
    failure: null,
    image_problem: null,
  };
  saveState(settings.folder, state);
  return state;
}

/** Only a partial clone lacks file contents. */
async function fetchInstructionsOf(git: Git, { base, checkout_paths }: ActionBrief, { token }: Source): Promise<void> {
  if (checkout_paths.length > 0) await fetchInstructions(git, base.sha, token);
}
