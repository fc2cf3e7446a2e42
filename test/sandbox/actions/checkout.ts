/** Plays `actions/checkout`: a real clone over HTTP with the job's token into the workspace. */
import { appendFile, mkdir, readdir, rm } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { authorization, cloneUrl, type GitCall, git } from "./git.ts";
import type { ActionWork, StepOutcome } from "./step-work.ts";

const PLAYED = ["repository", "ref", "token", "path", "fetch-depth", "persist-credentials", "clean", "sparse-checkout"];
/** Inputs of the real action that affect speed or extras, but not the files of a small repository. */
const IGNORED = [
  "filter",
  "sparse-checkout-cone-mode",
  "fetch-tags",
  "show-progress",
  "set-safe-directory",
  "ssh-strict",
  "lfs",
  "submodules",
  "github-server-url",
  "allow-unsafe-pr-checkout",
];

const failed = (work: ActionWork, text: string): StepOutcome => {
  work.log.error(text);
  return { outcome: "failure", outputs: {} };
};

export async function checkout(work: ActionWork): Promise<StepOutcome> {
  const { inputs, log, backend } = work;
  for (const name of Object.keys(inputs)) {
    if (IGNORED.includes(name)) log.line(`The sandbox ignores the input '${name}' of actions/checkout.`);
    else if (!PLAYED.includes(name)) log.warning(`Unexpected input(s) '${name}'`);
  }
  const folder = resolve(work.workspace, inputs.path ?? ".");
  if (relative(work.workspace, folder).startsWith(".."))
    return failed(work, "the path of actions/checkout is outside of the workspace");
  await mkdir(folder, { recursive: true });
  if (inputs.clean !== "false")
    for (const entry of await readdir(folder)) await rm(join(folder, entry), { recursive: true });
  const token = inputs.token || work.token;
  const call: GitCall = {
    cwd: folder,
    home: work.home,
    path: work.path,
    signal: work.signal,
    auth: { server: backend.url, token },
    onLine: (line) => log.line(line),
  };
  const target = targetOf(work);
  if (!(await clone(call, work, target)))
    return failed(work, `The process git failed: could not check out ${target.shown}`);
  if ((inputs["persist-credentials"] ?? "true") !== "false") {
    // Written to the file, because an argument of `git config` would be visible in the process list.
    await appendFile(
      join(folder, ".git/config"),
      `[http "${backend.url}/"]\n\textraheader = ${authorization(token)}\n`,
    );
    log.masks.add(authorization(token).split(" ").at(-1) ?? "");
  }
  const seen: string[] = [];
  await git({ ...call, onLine: (line) => seen.push(line) }, ["log", "-1", "--format=%H"]);
  return { outcome: "success", outputs: { ref: inputs.ref ?? work.ref, commit: seen[0] ?? "" } };
}

interface Target {
  readonly shown: string;
  readonly fetch: string;
  /** The local branch to check out; undefined for a detached head, as for commits, tags and pull requests. */
  readonly branch?: string;
  readonly tracking: string;
}

function targetOf({ inputs, ref, sha, repository }: ActionWork): Target {
  const own = inputs.repository === undefined || inputs.repository === repository;
  const wanted = inputs.ref ?? (own ? ref : "HEAD");
  // Without `ref`, the run's exact commit, even if the branch has moved since.
  const exact = inputs.ref === undefined && own ? sha : undefined;
  if (/^[0-9a-f]{40}$/.test(wanted)) return { shown: wanted, fetch: wanted, tracking: "refs/remotes/origin/checkout" };
  if (wanted === "HEAD") return { shown: "HEAD", fetch: "HEAD", tracking: "refs/remotes/origin/checkout" };
  if (wanted.startsWith("refs/heads/") || !wanted.startsWith("refs/")) {
    const branch = wanted.replace(/^refs\/heads\//, "");
    return { shown: branch, fetch: exact ?? `refs/heads/${branch}`, branch, tracking: `refs/remotes/origin/${branch}` };
  }
  const tracking = wanted.replace(/^refs\//, "refs/remotes/");
  return { shown: wanted, fetch: exact ?? wanted, tracking };
}

async function clone(call: GitCall, work: ActionWork, target: Target): Promise<boolean> {
  const url = cloneUrl(work.backend, work.inputs.repository ?? work.repository);
  const depth = Number(work.inputs["fetch-depth"] ?? "1");
  if (!Number.isInteger(depth) || depth < 0) return false;
  const shallow = depth > 0 ? [`--depth=${depth}`] : [];
  const wanted = `+${target.fetch}:${target.tracking}`;
  const folders = (work.inputs["sparse-checkout"] ?? "").split("\n").filter((line) => line.trim() !== "");
  // Like the real action: with sparse paths, file contents are fetched at check-out.
  const filter = folders.length > 0 ? ["--filter=blob:none"] : [];
  const all = depth === 0 ? ["+refs/heads/*:refs/remotes/origin/*"] : [];
  if (!(await git(call, ["init", "--quiet", "."]))) return false;
  if (!(await git(call, ["remote", "add", "origin", url]))) return false;
  const fetched =
    (all.length === 0 || (await git(call, ["fetch", "--quiet", "origin", "+refs/tags/*:refs/tags/*", ...all]))) &&
    (await git(call, ["fetch", "--quiet", "--no-tags", ...filter, ...shallow, "origin", wanted]));
  if (!fetched) return false;
  if (folders.length > 0 && !(await git(call, ["sparse-checkout", "set", ...folders]))) return false;
  if (target.branch === undefined) return git(call, ["checkout", "--quiet", "--force", "--detach", target.tracking]);
  return git(call, ["checkout", "--quiet", "--force", "-B", target.branch, target.tracking]);
}
