/**
 * Takes a small push in this process, where a git process for each would be most of its time: whole objects, one ref. What
 * it does not understand is left to `git http-backend`. It refuses what `git-store.ts` has git's hooks refuse.
 */
import { createHash } from "node:crypto";
import { inflateSync } from "node:zlib";
import * as z from "zod";
import type { GitObject, ObjectType } from "./git-objects.ts";
import { type RefOutcome, ZERO } from "./git-refs.ts";
import { readTree } from "./git-trees.ts";
import type { Repository } from "./model.ts";
import { unsignedRef } from "./signatures.ts";

interface Move {
  readonly ref: string;
  readonly before: string;
  readonly after: string;
}

export interface Received {
  /** The body of the answer. */
  readonly answer: Buffer;
  /** Null when the ref was not moved. */
  readonly move: Move | null;
}

export interface PushRights {
  readonly workflows: boolean;
}

const TYPES: Readonly<Record<number, ObjectType>> = { 1: "commit", 2: "tree", 3: "blob", 4: "tag" };
const HASH_BYTES = 20;

const packet = (content: Buffer | string): Buffer => {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, "0")), bytes]);
};
const FLUSH = Buffer.from("0000");
const band = (number: number, content: Buffer | string): Buffer =>
  packet(Buffer.concat([Buffer.from([number]), Buffer.from(content)]));

/** The refs as git lists them before a push. */
export function advertisedRefs({ git }: Repository): Buffer {
  const capabilities = "report-status delete-refs side-band-64k ofs-delta object-format=sha1";
  const refs = git.refs.list();
  const lines = refs.size > 0 ? [...refs].map(([ref, sha]) => `${sha} ${ref}`) : [`${ZERO} capabilities^{}`];
  const packets = lines.map((line, at) => packet(`${line}${at === 0 ? `\0${capabilities}` : ""}\n`));
  return Buffer.concat([packet("# service=git-receive-pack\n"), FLUSH, ...packets, FLUSH]);
}

interface Request {
  readonly move: Move;
  readonly pack: Buffer;
}

/** Undefined: several refs, or a client that wants another report than ours. */
function requestIn(body: Buffer): Request | undefined {
  const length = Number.parseInt(body.toString("latin1", 0, 4), 16);
  if (!(length > 4) || body.toString("latin1", length, length + 4) !== "0000") return undefined;
  const [command = "", capabilities = ""] = body.toString("utf8", 4, length).split("\0");
  const wanted = capabilities.trim().split(" ");
  const [before = "", after = "", ref = ""] = command.split(" ");
  if (!wanted.includes("report-status") || !wanted.includes("side-band-64k") || after === ZERO) return undefined;
  return { move: { before, after, ref }, pack: body.subarray(length + 4) };
}

const inflated = z.object({ buffer: z.instanceof(Buffer), engine: z.object({ bytesWritten: z.number() }) });

/** Undefined when there is a delta; throws when it is no pack. */
function objectsIn(pack: Buffer): GitObject[] | undefined {
  const end = pack.length - HASH_BYTES;
  const sum = createHash("sha1").update(pack.subarray(0, end)).digest();
  if (pack.toString("latin1", 0, 4) !== "PACK" || !sum.equals(pack.subarray(end))) throw new Error("bad pack");
  const objects: GitObject[] = [];
  let at = 12;
  for (let left = pack.readUInt32BE(8); left > 0; left--) {
    let byte = pack[at++] ?? 0;
    const type = TYPES[(byte >> 4) & 7];
    let size = byte & 15;
    for (let shift = 4; byte & 128; shift += 7) {
      byte = pack[at++] ?? 0;
      size += (byte & 127) * 2 ** shift;
    }
    if (type === undefined) return undefined;
    const { buffer, engine } = inflated.parse(inflateSync(pack.subarray(at), { info: true }));
    if (buffer.length !== size) throw new Error("bad object");
    objects.push({ type, data: buffer });
    at += engine.bytesWritten;
  }
  if (at !== end) throw new Error("garbage at the end of the pack");
  return objects;
}

interface No {
  readonly reason: string;
  readonly remote: readonly string[];
}

const no = (reason: string, ...remote: string[]): No => ({ reason, remote });

/** Objects that a new object needs and that nobody has. */
function isConnected({ git }: Repository, objects: readonly GitObject[]): boolean {
  const has = (sha: string): boolean => git.objects.read(sha) !== undefined;
  return objects.every(({ type, data }) => {
    if (type === "commit")
      return (data.toString("utf8").match(/^(?:tree|parent) [0-9a-f]{40}$/gm) ?? []).every((line) =>
        has(line.slice(line.indexOf(" ") + 1)),
      );
    if (type !== "tree") return true;
    const sha = git.objects.write(type, data);
    return readTree(git.objects, sha).every((entry) => entry.mode === "160000" || has(entry.sha));
  });
}

/** What a rule of the repository has against it. */
function forbidden(repository: Repository, { ref, before, after }: Move, rights: PushRights): No | undefined {
  const branch = ref.replace(/^refs\/heads\//, "");
  if (repository.protections.has(branch))
    return no(
      "protected branch hook declined",
      `error: GH006: Protected branch update failed for ${ref}.`,
      "error: Changes must be made through a pull request.",
    );
  if (ref.startsWith("refs/pull/")) return no("deny updating a hidden ref");
  const rule = repository.refRules.find(({ branches }) => branches.test(branch));
  if (rule)
    return no(
      "push declined due to repository rule violations",
      `error: GH013: Repository rule violations found for ${ref}.`,
      ...rule.words,
    );
  const unsigned = unsignedRef(repository, ref, before === ZERO ? undefined : before, after);
  if (unsigned !== undefined)
    return no("push declined due to repository rule violations", `error: GH013: ${unsigned.replace(/\s+/g, " ")}`);
  const { git } = repository;
  const base = before === ZERO ? git.commit(after)?.parents[0] : before;
  const { added, modified, removed } = git.changes(base, after);
  const file = [...added, ...modified, ...removed].find((path) => path.startsWith(".github/workflows/"));
  if (file !== undefined && !rights.workflows)
    return no(
      `refusing to allow a GitHub App to create or update workflow \`${file}\` without \`workflows\` permission`,
    );
  return undefined;
}

function notSet({ git }: Repository, { ref, before }: Move, outcome: RefOutcome): No {
  const there = git.refs.get(ref);
  if (outcome === "blocked") return no(`cannot lock ref '${ref}': there is a ref above or below it`);
  if (before === ZERO) return no("reference already exists");
  return no(`cannot lock ref '${ref}': is at ${there ?? ZERO} but expected ${before}`);
}

/** Undefined: somebody else must look at it. */
export function receivePack(repository: Repository, rights: PushRights, body: Buffer): Received | undefined {
  const request = requestIn(body);
  if (!request) return undefined;
  const { move } = request;
  const answer = (unpack: string, refused: No | undefined): Buffer => {
    const line = refused ? `ng ${move.ref} ${refused.reason}\n` : `ok ${move.ref}\n`;
    const report = Buffer.concat([packet(`unpack ${unpack}\n`), packet(line), FLUSH]);
    const told = (refused?.remote ?? []).map((text) => band(2, `${text}\n`));
    return Buffer.concat([...told, band(1, report), FLUSH]);
  };
  let objects: GitObject[] | undefined;
  try {
    objects = objectsIn(request.pack);
  } catch {
    return { answer: answer("index-pack abnormal exit", no("unpacker error")), move: null };
  }
  if (!objects) return undefined;
  for (const { type, data } of objects) repository.git.objects.write(type, data);
  if (!isConnected(repository, objects) || !repository.git.commit(move.after))
    return { answer: answer("ok", no("missing necessary objects")), move: null };
  const refused = forbidden(repository, move, rights);
  if (refused) return { answer: answer("ok", refused), move: null };
  const outcome = repository.git.refs.set(move.ref, move.after, move.before);
  if (outcome !== "ok") return { answer: answer("ok", notSet(repository, move, outcome)), move: null };
  return { answer: answer("ok", undefined), move };
}
