/** The objects that both stages of the step use. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Names, namesOf } from "./container-names.ts";
import { Docker } from "./docker.ts";
import { Git, type Within } from "./git.ts";
import { Ownership } from "./ownership.ts";
import type { ActionSettings } from "./settings.ts";

export interface StepContext {
  readonly git: Git;
  readonly docker: Docker;
  readonly names: Names;
  readonly ownership: Ownership;
}

export interface Process {
  readonly uid: number;
  readonly gid: number;
  /** Caps a limit at the time left. */
  readonly within: Within;
}

export function createStepContext(settings: ActionSettings, { uid, gid, within }: Process): StepContext {
  const { workspace, folder, serverUrl, programs, image, jobId } = settings;
  mkdirSync(folder, { recursive: true });
  mkdirSync(workspace, { recursive: true });
  const docker = new Docker(settings.docker, jobId, within);
  return {
    git: new Git(
      { folder: join(folder, "repository", ".git"), workTree: workspace, serverUrl, environment: programs },
      within,
    ),
    docker,
    names: namesOf(jobId),
    ownership: new Ownership({ docker, image, environment: programs, uid, gid, within }, workspace),
  };
}
