/**
 * Measures the sizes of the two images. Where the Dockerfile's base image cannot be pulled, another one stands in for
 * it.
 */
import { execFileSync } from "node:child_process";
import { buildImages, outputOrNull } from "../docker/build-images.ts";
import type { Measured } from "./measured.ts";

const MB = 1e6;

const megabytes = (image: string): number =>
  Number(execFileSync("docker", ["image", "inspect", "--format", "{{.Size}}", image], { encoding: "utf8" })) / MB;

export function benchImage(): Measured[] {
  if (outputOrNull("docker", "version") === null) {
    process.stdout.write("  left out, since no Docker engine answers\n");
    return [];
  }
  const { base, app, agent } = buildImages();
  const [bare, whole] = [megabytes(base), megabytes(app)];
  const detail = [`on ${base}, ${bare.toFixed(0)} MB`];
  return [
    { what: "app image, MB of its own layers", value: whole - bare, limit: 40, detail },
    { what: "app image, MB in all", value: whole, limit: 265, detail },
    { what: "agent image, MB in all", value: megabytes(agent), limit: 380, detail: [] },
  ];
}
