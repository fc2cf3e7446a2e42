/** How others create a branch with a job's file: the baseline of the App's create. Uses none of the App's code. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { pino } from "pino";
import { Probot, type ProbotOctokit } from "probot";
import * as z from "zod";
import { DEMO, type Sandbox, WRITER } from "../sandbox/environment.ts";
import { briefEntry } from "./brief-entry.ts";

type GitHub = Sandbox["github"];

export interface Peer {
  /** Makes a branch; answers the milliseconds. */
  create(repository: string, branch: string): Promise<number>;
  stop(): void;
}

async function told(child: ChildProcess): Promise<unknown> {
  const listening = new AbortController();
  const options = { signal: listening.signal };
  const ended = once(child, "exit", options).then(([code]) => {
    throw new Error(`the peer ended with ${code}`);
  });
  try {
    const [message] = await Promise.race([once(child, "message", options), ended]);
    return message;
  } finally {
    listening.abort();
    ended.catch(() => undefined);
  }
}

export async function startPeer(github: GitHub): Promise<Peer> {
  const script = new URL("./peer-child.ts", import.meta.url).pathname;
  const target = { api: github.apiUrl, token: github.userToken(WRITER) };
  const child = fork(script, [JSON.stringify(target)]);
  await told(child);
  return {
    async create(repository, branch) {
      child.send({ repository, branch });
      return z.number().parse(await told(child));
    },
    stop: () => child.disconnect(),
  };
}

/** An installation's client as Probot gives it to every App that changes nothing. */
export function probotClient(github: GitHub, installation: number): Promise<ProbotOctokit> {
  const probot = new Probot({
    appId: github.appId,
    privateKey: github.privateKey,
    secret: "unused",
    baseUrl: github.apiUrl,
    log: pino({ level: "silent" }),
  });
  return probot.auth(installation);
}

/** The three writes of one branch when its base is known. */
export async function threeWrites(octokit: ProbotOctokit, github: GitHub, branch: string): Promise<void> {
  const [owner = "", repo = ""] = DEMO.split("/");
  const parent = github.branches(DEMO).main ?? "";
  const { data: tree } = await octokit.git.createTree({
    ...{ owner, repo, base_tree: parent },
    tree: [briefEntry(branch)],
  });
  const { data: commit } = await octokit.git.createCommit({
    ...{ owner, repo, message: branch, tree: tree.sha },
    parents: [parent],
  });
  await octokit.git.createRef({ owner, repo, ref: `refs/heads/${branch}`, sha: commit.sha });
}
