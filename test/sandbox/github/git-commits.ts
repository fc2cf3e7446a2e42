/** Parses and writes commit objects, and walks over their parents. */
import type { GitObjects } from "./git-objects.ts";

export interface Signature {
  readonly name: string;
  readonly email: string;
  /** Milliseconds since 1970; git stores whole seconds. */
  readonly at: number;
}

export interface Commit {
  readonly sha: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: Signature;
  readonly committer: Signature;
  readonly message: string;
}

const SIGNATURE = /^(?<name>.*?) ?<(?<email>[^>]*)> (?<seconds>\d+)/;

function parseSignature(line: string): Signature {
  const groups = SIGNATURE.exec(line)?.groups;
  return { name: groups?.name ?? "", email: groups?.email ?? "", at: Number(groups?.seconds ?? 0) * 1000 };
}

export function readCommit(objects: GitObjects, sha: string): Commit | undefined {
  const object = objects.read(sha);
  if (object?.type !== "commit") return undefined;
  const text = object.data.toString("utf8");
  const blank = text.indexOf("\n\n");
  const headers = text.slice(0, blank).split("\n");
  const value = (key: string) => headers.find((line) => line.startsWith(`${key} `))?.slice(key.length + 1) ?? "";
  return {
    sha,
    tree: value("tree"),
    parents: headers.filter((line) => line.startsWith("parent ")).map((line) => line.slice(7)),
    author: parseSignature(value("author")),
    committer: parseSignature(value("committer")),
    message: text.slice(blank + 2).replace(/\n$/, ""),
  };
}

const signatureLine = (who: Signature) =>
  `${who.name.replace(/[<>\n]/g, "")} <${who.email.replace(/[<>\n]/g, "")}> ${Math.floor(who.at / 1000)} +0000`;

export function writeCommit(objects: GitObjects, commit: Omit<Commit, "sha">): string {
  const lines = [
    `tree ${commit.tree}`,
    ...commit.parents.map((parent) => `parent ${parent}`),
    `author ${signatureLine(commit.author)}`,
    `committer ${signatureLine(commit.committer)}`,
  ];
  const message = commit.message.endsWith("\n") ? commit.message : `${commit.message}\n`;
  return objects.write("commit", Buffer.from(`${lines.join("\n")}\n\n${message}`));
}

/** Everything reachable from a commit, including itself. */
export function reachable(objects: GitObjects, from: string): Set<string> {
  const seen = new Set<string>();
  const open = [from];
  for (let sha = open.pop(); sha !== undefined; sha = open.pop()) {
    if (seen.has(sha)) continue;
    seen.add(sha);
    open.push(...(readCommit(objects, sha)?.parents ?? []));
  }
  return seen;
}

/** Whether `ancestor` is `commit` or one of its ancestors. Walks only as far as needed. */
export function isAncestor(objects: GitObjects, ancestor: string, commit: string): boolean {
  const seen = new Set<string>();
  const open = [commit];
  for (let sha = open.shift(); sha !== undefined; sha = open.shift()) {
    if (sha === ancestor) return true;
    if (seen.has(sha)) continue;
    seen.add(sha);
    open.push(...(readCommit(objects, sha)?.parents ?? []));
  }
  return false;
}

/** Commits of `head` that are not in `base`, oldest first. */
export function commitsBetween(objects: GitObjects, base: string | undefined, head: string): Commit[] {
  const known = base ? reachable(objects, base) : new Set<string>();
  const found: Commit[] = [];
  const seen = new Set<string>();
  const visit = (sha: string) => {
    // Iterative, so that a long history does not exhaust the stack.
    const stack: { sha: string; done: boolean }[] = [{ sha, done: false }];
    for (let top = stack.pop(); top; top = stack.pop()) {
      const commit = readCommit(objects, top.sha);
      if (!commit || known.has(top.sha)) continue;
      if (top.done) found.push(commit);
      else if (!seen.has(top.sha)) {
        seen.add(top.sha);
        stack.push(
          { sha: top.sha, done: true },
          ...[...commit.parents].reverse().map((p) => ({ sha: p, done: false })),
        );
      }
    }
  };
  visit(head);
  return found;
}
