/** Everything before the agent begins: the job's commit, the files, who owns them, the networks. */
import { checkOut, asksForPart, copyForAgent, fetchInstructions, fetchJob, findBase, type Source } from "./checkout.ts";
import { type ActionBrief, readPushedBrief } from "./brief.ts";
import type { Docker } from "./docker.ts";
import { clearAway, makeNetworks, type Networks } from "./fence.ts";
import type { Git } from "./git.ts";
import { beginMerge } from "./merge.ts";
import type { Names } from "./names.ts";
import type { Ownership } from "./ownership.ts";
import type { ActionSettings } from "./settings.ts";
import { saveState, type State } from "./state.ts";
import { emptyWorkspace } from "./workspace.ts";

export interface PreparePorts {
  readonly settings: ActionSettings;
  readonly git: Git;
  readonly docker: Docker;
  readonly names: Names;
  readonly ownership: Ownership;
  readonly show: (text: string) => void;
}

export interface Prepared {
  readonly brief: ActionBrief;
  readonly networks: Networks;
  readonly state: State;
}

/** A reason is a sentence of ours. Where there is a state, it is saved: the job's comment can carry the reason. */
export type Preparation = ({ readonly ok: true } & Prepared) | { readonly ok: false; readonly reason: string };

const failed = (reason: string): Preparation => ({ ok: false, reason });

const NOT_OURS =
  "The workspace holds files of another user that cannot be removed. Give the runner's user passwordless sudo, or a " +
  "Docker that can change their owner, or remove them by hand";

export async function prepare(ports: PreparePorts): Promise<Preparation> {
  const { settings, git, docker, names } = ports;
  const { jobId, githubToken: token, sha, branch, repository, serverUrl } = settings;
  const source: Source = { sha, branch, repository, serverUrl, token };
  const cleared = clearAway(docker, names);
  const [notEmpty] = await Promise.all([
    emptyWorkspace(settings.workspace, ports.ownership),
    fetchJob(git, source, asksForPart(settings.eventPath)),
  ]);
  if (notEmpty !== null) return failed(`${NOT_OURS}: ${notEmpty}.`);
  const read = await readPushedBrief(git, { sha, jobId, token });
  if (!read.ok) return failed(`Nothing was run: ${read.reason}.`);
  const networks = cleared.then(() => makeNetworks(docker, names, read.brief.egress !== null));
  const state = await fill(ports, source, read);
  const made = await networks;
  const given = await ports.ownership.give();
  const reason = !made.ok
    ? made.reason
    : given !== null
      ? `The checkout could not be given to the agent's user, so that it could not be taken back either: ${given}. The runner needs root, passwordless sudo, or a Docker that can change owners.`
      : null;
  saveState(settings.folder, { ...state, failure: reason });
  return reason === null && made.ok
    ? { ok: true, brief: read.brief, networks: made.flags, state }
    : failed(reason ?? "");
}

type Read = Extract<Awaited<ReturnType<typeof readPushedBrief>>, { ok: true }>;

/** The files, and the agent's own repository beside them. */
async function fill({ git, settings, show }: PreparePorts, source: Source, read: Read): Promise<State> {
  const { brief } = read;
  const [base] = await Promise.all([findBase(git, source, read), checkOut(git, source, brief)]);
  if (!base.known)
    show(`The base commit ${brief.base.sha} could not be fetched: its AGENTS.md and CLAUDE.md are not read.`);
  const merged = brief.merge_base === true && base.merge_base !== null && base.merge_base !== brief.base.sha;
  const conflicts = merged ? await beginMerge(git, brief.base.sha) : [];
  if (base.known) await fetchInstructionsOf(git, brief, source);
  await copyForAgent(git);
  const state: State = {
    head: settings.sha,
    base_known: base.known,
    merge_base: base.merge_base,
    merged,
    conflicts: [...conflicts],
    failure: null,
  };
  saveState(settings.folder, state);
  return state;
}

/** Only a partial repository lacks contents. */
async function fetchInstructionsOf(git: Git, { base, checkout_paths }: ActionBrief, { token }: Source): Promise<void> {
  if (checkout_paths.length > 0) await fetchInstructions(git, base.sha, token);
}
