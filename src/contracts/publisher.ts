/**
 * Who publishes these sources: `repository` in package.json, which is the one line that a fork changes. All names of
 * images and actions follow from it.
 */
import packageJson from "../../package.json" with { type: "json" };
import { VERSION } from "./version.ts";

/** `owner/name`. */
export const PUBLISHER: string = packageJson.repository.replace(/^github:/, "");

/** Where the images of an owner are published; the registry knows small letters alone. */
export const registryOf = (repository: string): string => `ghcr.io/${repository.split("/")[0]?.toLowerCase()}`;

/** Used unless a workflow names another: the one that was published together with the action. */
export const AGENT_IMAGE = `${registryOf(PUBLISHER)}/agent:${VERSION}`;

/** `owner/repo/path@ref` of a run action, whoever has published it. */
export const RUN_ACTION_PATTERN =
  /^[A-Za-z0-9-]{1,39}\/[\w.-]{1,100}\/\.github\/actions\/run-job@[\w.-][\w./-]{0,254}$/;

export const RUN_JOB_ACTION = `${PUBLISHER}/.github/actions/run-job@v1`;
