import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ContainerChoice, chooseContainers } from "../sandbox/containers.ts";
import { RunnerBench, textOf, workflow } from "./runner-harness.ts";

const SHIM = { agentCommand: ["true"] };

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "containers-test-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** A `docker` that knows one engine. */
async function client({ version = "28.5.2", image = "mine", gateway = '"Gateway":"127.0.0.1",' } = {}): Promise<void> {
  const pools = `[{${gateway}"Subnet":"127.0.0.0/8"}]`;
  const script = `#!/bin/sh
echo "$DOCKER_HOST|$DOCKER_CONFIG|$*" >> '${folder}/calls'
case "$1 $2" in
"version --format") [ -n "${version}" ] || exit 1; echo "${version}" ;;
"image inspect") [ "$5" = "${image}" ] || exit 1; echo 2026-11-30T12:34:56.789Z ;;
"network inspect") echo '${pools}' ;;
"ps --all") [ ! -e '${folder}/left' ] || echo left-box ;;
"network ls") [ ! -e '${folder}/left' ] || echo left-net ;;
esac
`;
  await writeFile(join(folder, "docker"), script);
  await chmod(join(folder, "docker"), 0o755);
}

const choose = (choice: ContainerChoice, image: string | null = "mine", more: Record<string, string> = {}) =>
  chooseContainers({ choice, image, environment: { PATH: `/nowhere:${folder}`, ...more } }, SHIM);

describe("where the containers of jobs run", () => {
  test("in the engine that answers, with its image and an address that they reach", async () => {
    await client();
    const chosen = await choose("auto", "mine", { DOCKER_HOST: "unix:///a/b.sock", DOCKER_CONFIG: "/a/c" });
    expect(chosen).toEqual({
      containers: {
        kind: "docker",
        engine: {
          client: join(folder, "docker"),
          env: { DOCKER_HOST: "unix:///a/b.sock", DOCKER_CONFIG: "/a/c" },
        },
      },
      image: "mine",
      host: "127.0.0.1",
      sentence: "Containers are real: Docker 28.5.2, image mine of 2026-11-30 12:34.",
    });
  });

  test("with an image that was built here where none is named, at the first address where none is told", async () => {
    await client({ image: "journeyman-test:agent", gateway: "" });
    expect(await choose("docker", null)).toMatchObject({ image: "journeyman-test:agent", host: "127.0.0.1" });
  });

  test.each([
    ["there is no docker", "there is no docker on the PATH", null],
    ["no engine answers", "no Docker engine answers", { version: "" }],
    ["the image is missing", "Docker 28.5.2 has no image mine (docker build --target agent -t mine .)", { image: "x" }],
    ["its bridge is elsewhere", "the bridge of Docker 28.5.2 is not an address", { gateway: '"Gateway":"192.0.2.1",' }],
  ])("as processes where %s, and not at all where an engine was asked for", async (_, why, engine) => {
    if (engine !== null) await client(engine);
    const chosen = await choose("auto");
    expect(chosen).toMatchObject({ containers: { kind: "process", shim: SHIM }, image: null, host: "127.0.0.1" });
    expect(chosen.sentence).toContain(`Containers are played as processes: ${why}`);
    await expect(choose("docker")).rejects.toThrow(`Jobs cannot run in real containers: ${why}`);
  });

  test("as processes where that is asked for, whatever there is", async () => {
    await client();
    for (const chosen of [await choose("process"), await chooseContainers(null, SHIM)])
      expect(chosen.sentence).toBe("Containers are played as processes: that was asked for.");
  });
});

test("steps reach the engine through a docker that marks what they make, and what is left is removed and told", async () => {
  await client();
  await writeFile(join(folder, "left"), "");
  const { containers } = await choose("docker", "mine", { DOCKER_HOST: "unix:///a/b.sock", DOCKER_CONFIG: "/a/c" });
  const bench = await RunnerBench.open({ containers });
  try {
    const { job } = await bench.play(
      workflow(`- run: docker run --rm "an image" "it's" && docker network create --internal n && docker rm -f n`),
    );
    expect(job?.conclusion).toBe("success");
    expect(textOf(job?.log)).toContain("has left containers or networks behind: left-box, left-net");
  } finally {
    await bench.close();
  }
  const calls = (await readFile(join(folder, "calls"), "utf8")).split("\n").slice(3, -1);
  const [mark] = /dev\.journeyman\.sandbox=\S+/.exec(calls[0] ?? "") ?? [];
  expect(calls.map((call) => call.replace("unix:///a/b.sock|/a/c|", ""))).toEqual([
    `run --label ${mark} --rm an image it's`,
    `network create --label ${mark} --internal n`,
    "rm -f n",
    `ps --all --format {{.Names}} --filter label=${mark}`,
    "rm --force --volumes left-box",
    `network ls --format {{.Name}} --filter label=${mark}`,
    "network rm left-net",
  ]);
});
