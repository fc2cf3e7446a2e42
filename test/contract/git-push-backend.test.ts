/** Our packs and requests against git itself: `git http-backend` on a bare repository, which is then read with git. */
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { commitObject, gitObject, type TreeEntry } from "../../src/github/git/objects.ts";
import { packOf } from "../../src/github/git/pack.ts";
import { REQUEST_TYPE, readReport, requestOf } from "../../src/github/git/receive-pack.ts";
import { editTree, KnownTrees } from "../../src/github/git/trees.ts";
import { git, gitEnvironment } from "../sandbox/github/git-command.ts";

const REF = "refs/heads/job/abcd1234";
const BY = { name: "journeyman[bot]", email: "1+journeyman[bot]@users.noreply.github.com" };

/** What git says, or its words on why not. */
async function asked(folder: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await git(folder, args);
  if (code !== 0) throw new Error(`git ${args.join(" ")}: ${stderr}`);
  return stdout.trimEnd();
}

/** The repository's folder over HTTP, without any other access. */
async function served(folder: string): Promise<string> {
  const server = createServer((request, response) => {
    const { pathname, search } = new URL(request.url ?? "/", "http://git");
    const child = spawn("git", ["http-backend"], {
      env: {
        ...gitEnvironment(),
        ...{ GIT_PROJECT_ROOT: folder, GIT_HTTP_EXPORT_ALL: "1", PATH_INFO: pathname, QUERY_STRING: search.slice(1) },
        ...{ REQUEST_METHOD: request.method ?? "GET", CONTENT_TYPE: request.headers["content-type"] ?? "" },
        ...{ REMOTE_USER: "pusher", REMOTE_ADDR: "127.0.0.1" },
      },
      stdio: ["pipe", "pipe", "ignore"],
    });
    request.pipe(child.stdin);
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("close", () => {
      const all = Buffer.concat(chunks);
      response.end(all.subarray(all.indexOf("\r\n\r\n") + 4));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address() as AddressInfo;
  return `http://127.0.0.1:${address.port}`;
}

async function treeOf(folder: string, revision: string): Promise<{ id: string; entries: TreeEntry[] }> {
  const id = await asked(folder, "rev-parse", revision.includes(":") ? revision : `${revision}^{tree}`);
  const lines = (await asked(folder, "ls-tree", "-z", id)).split("\0").filter((line) => line !== "");
  const entries = lines.map((line) => {
    const [mode = "", , rest = ""] = line.split(/ /, 3);
    const [sha = ""] = rest.split("\t");
    return { mode: mode.replace(/^0+/, ""), name: line.slice(line.indexOf("\t") + 1), id: sha };
  });
  return { id, entries };
}

describe("a pack of ours", () => {
  let folder = "";
  let url = "";
  let base = "";

  beforeEach(async () => {
    const root = await mkdtemp(join(tmpdir(), "git-push-"));
    onTestFinished(() => rm(root, { recursive: true, force: true }));
    const work = join(root, "work");
    await asked(root, "init", "-q", "-b", "main", work);
    const write = async (path: string, text: string): Promise<void> => {
      const blob = join(root, "blob");
      await writeFile(blob, text);
      const sha = await asked(work, "hash-object", "-w", blob);
      await asked(
        work,
        "update-index",
        "--add",
        "--cacheinfo",
        `${path.startsWith("bin/") ? 100755 : 100644},${sha},${path}`,
      );
    };
    await write("README.md", "# demo\n");
    await write("bin/run", "#!/bin/sh\n");
    await write("a/b/c/d/deep.txt", "deep\n");
    await write("größe 東京.txt", "x\n");
    await write(".jobs/old00000/job.md", "old\n");
    await write(".jobs/abcd1234/result.json", "{}\n");
    const link = await asked(work, "hash-object", "-w", join(root, "blob"));
    await asked(work, "update-index", "--add", "--cacheinfo", `120000,${link},link`);
    await asked(work, "update-index", "--add", "--cacheinfo", `160000,${"1".repeat(40)},sub`);
    const tree = await asked(work, "write-tree");
    const who = ["-c", "user.name=ada", "-c", "user.email=ada@example.com"];
    base = await asked(work, ...who, "commit-tree", tree, "-m", "Start");
    await asked(work, "update-ref", "refs/heads/main", base);
    folder = join(root, "served.git");
    await asked(root, "clone", "-q", "--bare", work, folder);
    await asked(folder, "config", "http.receivepack", "true");
    await asked(folder, "config", "receive.fsckObjects", "true");
    url = await served(root);
  });

  const push = async (from: string | null, parent: string, text: string) => {
    const trees = new KnownTrees();
    const own = ":.jobs/abcd1234";
    for (const at of ["", ":.jobs", own, ...(from === parent ? [`${own}/tiefer`] : [])]) {
      const { id, entries } = await treeOf(folder, `${parent}${at}`);
      trees.learn(id, entries);
      expect(trees.get(id), `the tree at ${at}`).toBeDefined();
    }
    const blobs = { "job.md": text, "image.png": "\x00\xff", "tiefer/ß.txt": "ß" };
    const changes = new Map<string, string | null>([[".jobs/abcd1234/result.json", null]]);
    const objects = Object.entries(blobs).map(([name, content]) => {
      const blob = gitObject("blob", Buffer.from(content, "latin1"));
      changes.set(`.jobs/abcd1234/${name}`, blob.id);
      return blob;
    });
    const edited = editTree(trees, (await treeOf(folder, parent)).id, changes);
    if (edited === null) throw new Error("a tree is not known");
    const message = `Run job abcd1234: ${text}\n\nJob-Try: 1.1\n`;
    const commit = commitObject({ tree: edited.id, parent, by: BY, at: Date.UTC(2030, 0, 31), message });
    const body = requestOf({ ref: REF, from, to: commit.id }, await packOf([commit, ...edited.objects, ...objects]));
    const answer = await fetch(`${url}/served.git/git-receive-pack`, {
      method: "POST",
      headers: { "content-type": REQUEST_TYPE },
      body: new Uint8Array(body),
    });
    return { report: readReport(new Uint8Array(await answer.arrayBuffer()), REF), id: commit.id };
  };

  it("is taken by git without any call before, and changes the job's files alone", async () => {
    const first = await push(null, base, "Say hello — “ä”");
    expect(first.report).toEqual({ refused: null, remote: [] });
    expect(await asked(folder, "rev-parse", REF)).toBe(first.id);
    expect(await asked(folder, "fsck", "--strict", "--full")).not.toMatch(/error|warning/);
    const changed = await asked(
      folder,
      "-c",
      "core.quotePath=false",
      "diff",
      "--name-status",
      "--no-renames",
      base,
      first.id,
    );
    expect(changed.split("\n").toSorted()).toEqual([
      "A\t.jobs/abcd1234/image.png",
      "A\t.jobs/abcd1234/job.md",
      "A\t.jobs/abcd1234/tiefer/ß.txt",
      "D\t.jobs/abcd1234/result.json",
    ]);
    expect(await asked(folder, "show", "-s", "--format=%an <%ae>%n%cn %ct%n%B", first.id)).toBe(
      [
        "journeyman[bot] <1+journeyman[bot]@users.noreply.github.com>",
        `journeyman[bot] ${Date.UTC(2030, 0, 31) / 1_000}`,
        "Run job abcd1234: Say hello — “ä”",
        "",
        "Job-Try: 1.1",
      ].join("\n"),
    );
    expect(await asked(folder, "ls-tree", first.id)).toMatch(/^120000 blob .*\tlink\n160000 commit 1{40}\tsub$/m);
    expect((await push(first.id, first.id, "Once more")).report).toEqual({ refused: null, remote: [] });
  });

  it("makes no branch that is there, and moves none that has moved", async () => {
    const first = await push(null, base, "First");
    const again = await push(null, base, "Second");
    expect(again.report?.refused).toMatch(/already exists|failed to update ref|cannot lock ref/);
    const stale = await push("1".repeat(40), base, "Third");
    expect(stale.report?.refused).toMatch(/failed to update ref|cannot lock ref/);
    expect(await asked(folder, "rev-parse", REF)).toBe(first.id);
  });

  it("is refused in the words of a hook", async () => {
    await writeFile(join(folder, "hooks", "pre-receive"), "#!/bin/sh\necho 'GH013: no such branches' >&2\nexit 1\n", {
      mode: 0o755,
    });
    expect((await push(null, base, "First")).report).toEqual({
      refused: "pre-receive hook declined",
      remote: ["GH013: no such branches"],
    });
  });
});
