/**
 * Measures how long a job waits for its working copy: a repository of 50 MB of which its settings name one folder,
 * compared with a clone of depth 1, both over HTTP from the local GitHub.
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { startGitHub } from "../sandbox/github/main.ts";
import { type Measured, median } from "./measured.ts";

const run = promisify(execFile);
const FILES = 50;
const FILE_BYTES = 1_000_000;
const ROUNDS = 5;

/** Text that hardly compresses, as assets and lockfiles hardly do. */
const text = (bytes: number): string =>
  randomBytes(Math.ceil(bytes * 0.75))
    .toString("base64")
    .slice(0, bytes);

const contents = (): Record<string, string> => ({
  "README.md": "# Shop\n",
  ".jobs/ab12cd34/job.md": "Do it.\n",
  ...Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`web/page-${at}.txt`, text(5_000)])),
  ...Object.fromEntries(Array.from({ length: FILES }, (_, at) => [`assets/${at % 10}/${at}.txt`, text(FILE_BYTES)])),
});

export async function benchCheckout(): Promise<Measured> {
  const github = await startGitHub();
  const top = await mkdtemp(join(tmpdir(), "bench-checkout-"));
  github.createRepository({ owner: "octo", name: "large", files: contents() });
  const url = `${github.url}/octo/large.git`;
  const token = github.actions.workflowToken({ owner: "octo", name: "large" }, { contents: "read" });
  const header = `AUTHORIZATION: basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`;
  const auth = { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "http.extraHeader", GIT_CONFIG_VALUE_0: header };
  const env = { PATH: process.env.PATH, HOME: top, GIT_CONFIG_NOSYSTEM: "1", GIT_TERMINAL_PROMPT: "0", ...auth };
  const git = (cwd: string, ...args: string[]) => run("git", args, { cwd, env });

  const partial = async (folder: string) => {
    await git(folder, "init", "--quiet", ".");
    await git(folder, "remote", "add", "origin", url);
    const ref = "+refs/heads/main:refs/remotes/origin/main";
    await git(folder, "fetch", "--quiet", "--no-tags", "--filter=blob:none", "--depth=2", "origin", ref);
    await git(folder, "sparse-checkout", "set", ".jobs");
    await git(folder, "checkout", "--quiet", "--force", "-B", "main", "refs/remotes/origin/main");
    await git(folder, "sparse-checkout", "set", "--cone", ".jobs", "web");
    if ((await readdir(join(folder, "web"))).length !== 40) throw new Error("the folder is not there");
  };
  const whole = (folder: string) => git(folder, "clone", "--quiet", "--depth=1", url, ".");

  const took = { partial: [] as number[], whole: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [name, make] of Object.entries({ partial, whole })) {
      const folder = join(top, `${name}-${round}`);
      await mkdir(folder);
      const begun = performance.now();
      await make(folder);
      took[name === "partial" ? "partial" : "whole"].push(performance.now() - begun);
      await rm(folder, { recursive: true });
    }
  await github.close();
  await rm(top, { recursive: true, force: true });
  const [ours, floor] = [median(took.partial), median(took.whole)];
  return {
    what: "the working copy of one folder of a repository of 50 MB, as a multiple of a clone of depth 1",
    value: ours / floor,
    limit: 0.5,
    detail: [
      `${ours.toFixed(0)} ms, the clone ${floor.toFixed(0)} ms; on one machine, where the network costs nothing`,
    ],
  };
}
