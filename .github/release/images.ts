/** The images of a release: one for each processor, proved there, and then one name for all of them. */
import * as z from "zod";
import { output } from "./run.ts";

export const TARGETS = ["app", "agent"] as const;
/** As Docker names them. */
export const PROCESSORS = ["amd64", "arm64"] as const;

const PINNED = /^ARG NODE_IMAGE=(node:([\d.]+)-trixie-slim)@(sha256:[0-9a-f]{64})$/m;

const indexSchema = z.object({
  digest: z.string(),
  manifests: z.array(z.object({ platform: z.object({ os: z.string(), architecture: z.string() }) })),
});

/**
 * Sentences, none if the base image that the Dockerfile pins is at the registry, for all processors, and holds what its
 * name says. Nobody had held it against the registry when it was written down.
 */
export function baseProblems(folder: string, dockerfile: string): string[] {
  const [, name = "", version = "", digest = ""] = PINNED.exec(dockerfile) ?? [];
  if (digest === "") return ["The Dockerfile does not pin its base image by a digest."];
  const image = `${name}@${digest}`;
  const docker = (...args: string[]): string => output(folder, "docker", ...args);
  const index = indexSchema.parse(
    JSON.parse(docker("buildx", "imagetools", "inspect", image, "--format", "{{json .Manifest}}")),
  );
  const found: string[] = [];
  if (index.digest !== digest) found.push(`${image} is ${index.digest} at the registry.`);
  const has = new Set(index.manifests.map(({ platform }) => `${platform.os}/${platform.architecture}`));
  for (const processor of PROCESSORS)
    if (!has.has(`linux/${processor}`)) found.push(`${image} is not there for linux/${processor}.`);
  const held = docker(
    "run",
    "--rm",
    image,
    "sh",
    "-c",
    '. /etc/os-release; echo "$(node --version) $VERSION_CODENAME"',
  );
  if (held !== `v${version} trixie`) found.push(`${image} holds ${held}.`);
  return found;
}

export interface Release {
  readonly version: string;
  /** Such as `ghcr.io/owner`. */
  readonly registry: string;
}

/** Publishes what `npm run image` has built and proved on this machine. */
export function pushImages(folder: string, { version, registry }: Release, processor: string): void {
  for (const target of TARGETS) {
    const name = `${registry}/${target}:${version}-${processor}`;
    output(folder, "docker", "tag", `journeyman-test:${target}`, name);
    output(folder, "docker", "push", "--quiet", name);
  }
}

export interface Published {
  readonly target: string;
  readonly name: string;
  readonly digest: string;
}

/** Gives the images of all processors one name, and if `stable` the name `1` as well. */
export function joinImages(folder: string, { version, registry }: Release, stable: boolean): Published[] {
  return TARGETS.map((target) => {
    const name = `${registry}/${target}`;
    const tags = stable ? [version, "1"] : [version];
    const imagetools = (...args: string[]): string => output(folder, "docker", "buildx", "imagetools", ...args);
    imagetools(
      ...["create", ...tags.flatMap((tag) => ["--tag", `${name}:${tag}`])],
      ...PROCESSORS.map((processor) => `${name}:${version}-${processor}`),
    );
    const index = imagetools("inspect", `${name}:${version}`, "--format", "{{json .Manifest}}");
    return { target, name, digest: indexSchema.pick({ digest: true }).parse(JSON.parse(index)).digest };
  });
}
