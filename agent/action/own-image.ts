/**
 * Prepares the image that the repository's settings name (`container`): pulls it, runs the set-up commands in it with
 * the network and without any secret, and keeps the result as the image that the agent runs in. A failure is a sentence
 * for the job's comment.
 */
import { posix } from "node:path";
import * as z from "zod";
import type { Container } from "../../src/contracts/container.ts";
import { MAX_TOOLCHAIN } from "../../src/contracts/toolchain.ts";
import { parseForeignJson } from "../../src/text/json-bounds.ts";
import { cut } from "../../src/text/text.ts";
import type { Names } from "./container-names.ts";
import type { Docker } from "./docker.ts";
import { asCode, MAX_COMMAND_SHOWN, plain, runImageCommands } from "./image-commands.ts";
import { AGENT_UID } from "./ownership.ts";
import { errorTail, succeeded } from "./run-command.ts";
import type { ImageProblem } from "./state.ts";

const PULL_LIMIT_MS = 10 * 60_000;
const COMMIT_LIMIT_MS = 5 * 60_000;
const PROGRAM_LIMIT_MS = 60_000;
/** Where the agent's program is found in every image. */
export const PROGRAM_FOLDER = "/opt/journeyman";
/** What package managers need as root. */
const SETUP_RIGHTS = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETFCAP", "SETGID", "SETUID"];
const SETTING = "`container` in .github/journeyman.yml";

/** Many programs refuse to work for a user without a name. */
const NAME_THE_USER = `
grep -q ':x:${AGENT_UID}:' /etc/passwd 2>/dev/null || {
  mkdir -p /etc &&
  echo 'agent:x:${AGENT_UID}:${AGENT_UID}:agent:/tmp:/bin/sh' >>/etc/passwd &&
  echo 'agent:x:${AGENT_UID}:' >>/etc/group
}`;

export interface OwnImagePorts {
  readonly docker: Docker;
  readonly names: Names;
  /** The agent's image, which the program is taken from. */
  readonly agentImage: string;
  readonly container: Container;
  /** The folder of what the set-up commands see of the repository; null: nothing. */
  readonly files: string | null;
  readonly show: (text: string) => void;
}

export interface OwnImage {
  readonly name: string;
  /** Of the image itself. */
  readonly variables: Readonly<Record<string, string>>;
}

export type PreparedImage = { readonly ok: true; readonly image: OwnImage } | ({ readonly ok: false } & Failure);

interface Failure {
  readonly reason: string;
  readonly image_problem: ImageProblem | null;
}

const refusal = ({ reason, image_problem }: Failure): PreparedImage => ({
  ...{ ok: false, reason: `The agent was not started: ${reason}`, image_problem },
});

export async function removeOwnImage(docker: Docker, names: Names): Promise<void> {
  await docker.call(["rm", "-f", "-v", names.setup]);
  await Promise.all([docker.call(["volume", "rm", "-f", names.program]), docker.call(["rmi", "-f", names.image])]);
}

export async function prepareOwnImage(ports: OwnImagePorts): Promise<PreparedImage> {
  const { docker, names, container } = ports;
  await removeOwnImage(docker, names);
  const [failure, noProgram] = await Promise.all([makeImage(ports), copyProgram(ports)]);
  const found = failure ?? noProgram;
  if (found !== null) return refusal(found);
  const variables = await variablesOf(docker, names.image);
  return variables === null
    ? refusal(unusable(`the variables of the image ${container.image} (${SETTING}) are too large.`))
    : { ok: true, image: { name: names.image, variables } };
}

/** A new volume is filled with what the image has there. */
async function copyProgram({ docker, names, agentImage }: OwnImagePorts): Promise<Failure | null> {
  const flags = ["--network", "none", "-v", `${names.program}:${PROGRAM_FOLDER}`];
  const copied = await docker.finish(
    { image: agentImage, user: `${AGENT_UID}:${AGENT_UID}`, entrypoint: "true", flags, env: {} },
    PROGRAM_LIMIT_MS,
  );
  if (succeeded(copied)) return null;
  const reason = `its program could not be taken from the agent's image: ${errorTail(copied)}.`;
  return { reason, image_problem: (await docker.lacksImage(agentImage)) ? "missing" : null };
}

const unusable = (reason: string): Failure => ({ reason, image_problem: "set_up_failed" });

/** Null when done, else why not, in sentences. */
async function makeImage(ports: OwnImagePorts): Promise<Failure | null> {
  const { docker, names, container, show } = ports;
  const pulled = await docker.call(["pull", "--quiet", container.image], PULL_LIMIT_MS);
  if (!succeeded(pulled)) {
    const why = errorTail(pulled);
    if (await docker.lacksImage(container.image)) {
      const reason = `the image ${container.image} (${SETTING}) could not be pulled: ${asCode(why)}.`;
      return { reason, image_problem: "missing" };
    }
    show(`The image ${container.image} could not be pulled, so this machine's own is used: ${why}.`);
  }
  const failure = (await hidingVolume(ports)) ?? (await setUp(ports));
  if (failure !== null) return unusable(failure);
  const kept = await docker.call(["commit", "--pause=false", names.setup, names.image], COMMIT_LIMIT_MS);
  await docker.call(["rm", "-f", "-v", names.setup]);
  return succeeded(kept)
    ? null
    : unusable(`the image ${container.image} could not be kept after its set-up: ${errorTail(kept)}.`);
}

/** Null when done, else why not, in sentences. */
const setUp = ({ docker, names, container, files, show }: OwnImagePorts): Promise<string | null> =>
  runImageCommands({
    docker,
    container: {
      name: names.setup,
      keep: true,
      image: container.image,
      user: "0:0",
      flags: [
        ...["--no-healthcheck", "--network", "bridge", "--pids-limit", "512", "--memory", "4g", "-w", "/"],
        ...SETUP_RIGHTS.flatMap((right) => ["--cap-add", right]),
        ...(files === null ? [] : ["--mount", `type=bind,source=${files},target=/workspace,readonly`]),
      ],
      env: {},
    },
    before: NAME_THE_USER,
    commands: container.setup,
    minutes: container.setup_minutes,
    ...{ kind: "set-up", setting: SETTING, limit: "`setup_minutes`", show },
  });

const listSchema = z.array(z.string()).nullable();
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Docker would mount a volume that the image declares below one of our folders over what is there. */
const OURS = [`${PROGRAM_FOLDER}/`, "/workspace/"];
const volumesSchema = z.record(z.string(), z.unknown()).nullable();

async function hidingVolume({ docker, container }: OwnImagePorts): Promise<string | null> {
  const seen = await docker.call(["image", "inspect", "--format", "{{json .Config.Volumes}}", container.image]);
  const text = seen.stdout.toString("utf8");
  const volumes = text.length > MAX_TOOLCHAIN ? null : volumesSchema.safeParse(parseForeignJson(text)).data;
  const hiding = Object.keys(volumes ?? {}).find((volume) =>
    OURS.some((folder) => posix.normalize(volume).startsWith(folder)),
  );
  return hiding === undefined
    ? null
    : `the image ${container.image} (${SETTING}) declares the volume ${asCode(cut(plain(hiding), MAX_COMMAND_SHOWN))}, which would hide what is mounted there.`;
}

/** The variables that an image sets; null when they cannot be read within the limit. */
async function variablesOf(docker: Docker, image: string): Promise<OwnImage["variables"] | null> {
  const seen = await docker.call(["image", "inspect", "--format", "{{json .Config.Env}}", image]);
  const text = seen.stdout.toString("utf8");
  const list = text.length > MAX_TOOLCHAIN ? null : listSchema.safeParse(parseForeignJson(text));
  if (!succeeded(seen) || !list?.success) return null;
  const pairs = (list.data ?? []).map((pair) => {
    const at = pair.indexOf("=");
    return [pair.slice(0, at), pair.slice(at + 1)] as const;
  });
  return Object.fromEntries(pairs.filter(([name]) => NAME.test(name)));
}
