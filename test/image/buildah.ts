/** The images by buildah in a chroot, on a base that is made here; needs root, and neither daemon nor registry. */
import { mkdtempSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { configSchema, type Engine, type ImageConfig, output, type Spec, type TargetName } from "./images.ts";

const BASE = "localhost/journeyman-test-base:bookworm";
const nameOf = (target: TargetName): string => `localhost/journeyman-test:${target}`;
const CHROOT = ["--isolation", "chroot"];
/** Where programs may write, and what buildah itself puts into a container that it runs. */
const MAY_BE_NEW = /^\/(?:tmp|proc|sys|dev|data|workspace|run)\/|^\/etc\/(?:hosts|resolv\.conf|hostname)$/;

const inspectSchema = z.object({ Docker: z.object({ config: configSchema }) });

/** The first process below this one that lives in the image: buildah itself would kill it where docker passes a signal on. */
function firstInside(pid: number): number {
  const [child = ""] = output("pgrep", "--parent", String(pid)).split("\n");
  const command = output("ps", "-o", "comm=", "-p", child);
  const inside = readlinkSync(`/proc/${child}/root`) !== "/" && !command.includes("buildah");
  return inside ? Number(child) : firstInside(Number(child));
}

export function buildah(): Engine {
  const folder = mkdtempSync(join(tmpdir(), "journeyman-image-"));
  const stamp = join(folder, "stamp");
  const containers = new Map<TargetName, string>();

  const containerOf = (target: TargetName): string => {
    const known = containers.get(target) ?? output("buildah", "from", "--pull-never", nameOf(target));
    containers.set(target, known);
    return known;
  };
  const rootOf = (target: TargetName): string => output("buildah", "mount", containerOf(target));
  const config = (target: TargetName): ImageConfig =>
    inspectSchema.parse(JSON.parse(output("buildah", "inspect", "--type", "image", nameOf(target)))).Docker.config;

  return {
    name: "buildah in a chroot",
    leaves: "networks, limits, capabilities, a read-only root, the pinned base image, and the timer of HEALTHCHECK",
    build(target) {
      if (output("buildah", "images", "--quiet", "--filter", `reference=${BASE}`) === "")
        output(join(import.meta.dirname, "base.sh"), BASE);
      const how = ["--pull-never", "--network", "host", "--format", "docker", "--layers", ...CHROOT];
      const what = ["--build-arg", `NODE_IMAGE=${BASE}`, "--target", target, "--tag", nameOf(target)];
      output("buildah", "bud", "--quiet", ...how, ...what, ".");
      containerOf(target);
      writeFileSync(stamp, "");
    },
    config,
    size: (target) => Number(output("du", "-sb", "--one-file-system", rootOf(target)).split("\t")[0]),
    command(target, { env = {}, mounts = {}, entrypoint, args }: Spec) {
      const { Entrypoint, Cmd } = config(target);
      const own =
        entrypoint === undefined ? [...(Entrypoint ?? []), ...(args ?? Cmd ?? [])] : [entrypoint, ...(args ?? [])];
      return [
        ...["buildah", "run", ...CHROOT],
        // By value, since this version passes none on by name; these are the keys of a sandbox.
        ...Object.entries(env).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
        ...Object.entries(mounts).flatMap(([inside, outside]) => ["--volume", `${outside}:${inside}`]),
        ...[containerOf(target), "--", ...own],
      ];
    },
    tell: (pid) => void process.kill(firstInside(pid), "SIGTERM"),
    own: (folder, uid) => void output("chown", "-R", `${uid}:${uid}`, folder),
    fenced: null,
    stray(target) {
      const root = rootOf(target);
      const found = output("find", root, "-xdev", "-type", "f", "-newer", stamp).split("\n");
      return found.map((path) => path.slice(root.length)).filter((path) => path !== "" && !MAY_BE_NEW.test(path));
    },
    close() {
      for (const container of containers.values()) output("buildah", "rm", container);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
