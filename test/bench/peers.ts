/** How others bring a job's file to a new branch: what our create is compared with. Nothing of the App is used. */
import { pino } from "pino";
import { Probot, type ProbotOctokit } from "probot";
import { z } from "zod";
import { DEMO, type Town, WRITER } from "../../src/sandbox/town.ts";

type GitHub = Town["github"];

const refSchema = z.object({ object: z.object({ sha: z.string() }) });
const commitSchema = z.object({ sha: z.string(), tree: z.object({ sha: z.string() }) });
const shaSchema = z.object({ sha: z.string() });

const fileOf = (branch: string, text: string) => ({
  path: `.jobs/${branch}/job.md`,
  mode: "100644" as const,
  type: "blob" as const,
  content: `${text}\n`,
});

/** The five calls one after the other, with plain fetch on one kept connection. */
export function plainSequence(github: GitHub): (branch: string) => Promise<void> {
  const headers = { authorization: `Bearer ${github.userToken(WRITER)}`, "content-type": "application/json" };
  const call = async <T>(method: "GET" | "POST", path: string, schema: z.ZodType<T>, body?: object): Promise<T> => {
    const response = await fetch(`${github.apiUrl}/repos/${DEMO}/git${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}`);
    return schema.parse(await response.json());
  };
  return async (branch) => {
    const { sha } = (await call("GET", "/ref/heads/main", refSchema)).object;
    const base = await call("GET", `/commits/${sha}`, commitSchema);
    const tree = await call("POST", "/trees", shaSchema, {
      base_tree: base.tree.sha,
      tree: [fileOf(branch, "do it")],
    });
    const commit = await call("POST", "/commits", shaSchema, {
      message: branch,
      tree: tree.sha,
      parents: [sha],
    });
    await call("POST", "/refs", z.unknown(), { ref: `refs/heads/${branch}`, sha: commit.sha });
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
    tree: [fileOf(branch, "do it")],
  });
  const { data: commit } = await octokit.git.createCommit({
    ...{ owner, repo, message: branch, tree: tree.sha },
    parents: [parent],
  });
  await octokit.git.createRef({ owner, repo, ref: `refs/heads/${branch}`, sha: commit.sha });
}
