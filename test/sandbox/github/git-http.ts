/**
 * Git over HTTP: checks access, then takes a small push itself or runs `git http-backend`; changes of refs go to
 * `ref-changes.ts`.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { allows, authorize, causeOf } from "./access.ts";
import type { Api } from "./api.ts";
import { readBody } from "./body.ts";
import { Refusal } from "./errors.ts";
import type { Fault } from "./faults.ts";
import { countGitCall, type GitAnswer, isGit, saysGit } from "./git-calls.ts";
import { gitEnvironment } from "./git-command.ts";
import { ZERO } from "./git-refs.ts";
import { secondary } from "./limits.ts";
import type { Repository } from "./model.ts";
import { advertisedRefs, receivePack } from "./receive-pack.ts";
import { refChanged } from "./ref-changes.ts";
import { signatureEnvironment } from "./signatures.ts";
import type { Actor } from "./tokens.ts";
import type { World } from "./world.ts";

export interface GitPath {
  readonly owner: string;
  readonly name: string;
  readonly rest: string;
}

const GIT_PATH = /^\/([^/]+)\/([^/]+?)(?:\.git)?(\/(?:info\/refs|git-upload-pack|git-receive-pack))$/;

export function gitPath(pathname: string): GitPath | undefined {
  const match = GIT_PATH.exec(pathname);
  return match ? { owner: match[1] ?? "", name: match[2] ?? "", rest: match[3] ?? "" } : undefined;
}

export async function serveGit(
  api: Api,
  path: GitPath,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { world } = api;
  const service = path.rest === "/info/refs" ? url.searchParams.get("service") : path.rest.slice(1);
  const writes = service === "git-receive-pack";
  const known = request.headers.authorization !== undefined;
  try {
    if (!saysGit(request)) throw new Refusal(404, "Not Found");
    const actor = world.tokens.identify(request.headers.authorization);
    const counted = await countGitCall(
      api,
      { actor, method: request.method ?? "GET", rest: path.rest, path: url.pathname },
      request,
    );
    response.on("close", () => counted.done(response.writableFinished ? response.statusCode : 0));
    const { instead, fault } = counted;
    if (instead) return answer(response, instead);
    if (fault && fault.before !== false) return fail(request, response, fault);
    const named = world.state.repository(path.owner, path.name);
    const repository = authorize(actor, named, [writes ? "contents:write" : "contents:read"]);
    const to = fault ? discarded() : response;
    const exchange = { path, url, request, response: to };
    if (writes && path.rest !== "/info/refs") await push(world, repository, actor, exchange);
    else if (writes && !isGit(request)) advertise(repository, to);
    else await backend(repository, exchange, environment(repository, actor));
    if (fault) fail(request, response, fault);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refuse(response, error, known);
  }
}

/** For a program that is no git, without the process that git would be. */
function advertise(repository: Repository, response: Answering): void {
  response.writeHead(200, {
    "content-type": "application/x-git-receive-pack-advertisement",
    "cache-control": "no-cache",
  });
  response.end(advertisedRefs(repository));
}

function answer(response: ServerResponse, { status, text, headers }: GitAnswer): void {
  response.writeHead(status, { "content-type": "text/plain", ...headers });
  response.end(`${text}\n`);
}

function fail(request: IncomingMessage, response: ServerResponse, fault: Fault): void {
  if (fault.stall) return;
  if (fault.drop) request.socket.destroy();
  else {
    const wait = fault.retryAfter === undefined ? {} : { headers: { "retry-after": String(fault.retryAfter) } };
    const text = fault.secondary ? secondary(fault.retryAfter).message : "Server Error";
    answer(response, { status: fault.status, text, ...wait });
  }
}

/** The work is done and its answer is lost. */
function discarded(): Answering {
  const stream = new PassThrough().resume();
  return Object.assign(stream, { headersSent: true, writeHead: () => stream });
}

/** What of an answer is written. */
interface Answering {
  readonly headersSent: boolean;
  writeHead(status: number, headers?: Record<string, string | undefined>): unknown;
  write(data: Buffer): unknown;
  end(data?: Buffer): unknown;
  on(event: "close", listener: () => void): unknown;
}

interface Exchange {
  readonly path: GitPath;
  readonly url: URL;
  readonly request: IncomingMessage;
  readonly response: Answering;
  /** Missing: it is still to be read from the request. */
  readonly body?: Buffer;
}

/** A private repository asks for credentials before it answers that it does not exist. */
function refuse(response: ServerResponse, error: Refusal, known: boolean): void {
  const status = known && error.status !== 401 ? error.status : 401;
  const texts: Record<number, string> = {
    401: "Invalid username or token. Password authentication is not supported for Git operations.",
    403: "Write access to repository not granted.",
    404: "Repository not found.",
  };
  response.writeHead(status, {
    "content-type": "text/plain",
    ...(status === 401 ? { "www-authenticate": 'Basic realm="GitHub"' } : {}),
  });
  response.end(`${texts[status] ?? error.message}\n`);
}

const rightsOf = (actor: Actor) => ({
  workflows: actor.kind !== "token" || allows(actor.token.permissions, "workflows:write"),
});

/** Variables that the hooks of `git-store.ts` read. */
function environment(repository: Repository, actor: Actor): Record<string, string> {
  const isBranch = (branch: string) => `refs/heads/${branch}`;
  return {
    SANDBOX_WORKFLOWS: rightsOf(actor).workflows ? "allow" : "deny",
    SANDBOX_PUSHED: pushedFile(repository),
    ...signatureEnvironment(repository, verifiedFile(repository)),
    SANDBOX_PROTECTED: [...repository.protections.keys()].map(isBranch).join(" "),
  };
}

/** Larger pushes are left to git. */
const OWN_BYTES = 1024 * 1024;

async function push(world: World, repository: Repository, actor: Actor, exchange: Exchange): Promise<void> {
  const cause = causeOf(world.state, actor, world.appId);
  const { request, response } = exchange;
  const length = Number(request.headers["content-length"] ?? Number.POSITIVE_INFINITY);
  const body = length <= OWN_BYTES && !request.headers["content-encoding"] ? await readBody(request) : undefined;
  // One push at a time, since all report in the same file.
  await world.tasks.exclusive(`push ${repository.id}`, async () => {
    const received = body && receivePack(repository, rightsOf(actor), body);
    if (received) {
      if (received.move) refChanged(world, repository, received.move, cause);
      response.writeHead(200, { "content-type": "application/x-git-receive-pack-result", "cache-control": "no-cache" });
      response.end(received.answer);
      return;
    }
    const file = pushedFile(repository);
    rmSync(file, { force: true });
    writeFileSync(verifiedFile(repository), [...repository.verifiedCommits, ""].join("\n"));
    await backend(repository, { ...exchange, ...(body ? { body } : {}) }, environment(repository, actor));
    // at once, since the client may read the result immediately
    const told = existsSync(file) ? readFileSync(file, "utf8") : "";
    for (const line of told.split("\n").filter((one) => one !== "")) {
      const [before = ZERO, after = ZERO, ref = ""] = line.split(" ");
      refChanged(world, repository, { ref, before, after }, cause);
    }
  });
}

const verifiedFile = (repository: Repository): string => join(repository.git.folder, "verified");
const pushedFile = (repository: Repository): string => join(repository.git.folder, "pushed");

function backend(
  repository: Repository,
  { path, url, request, response, body: read }: Exchange,
  environmentOfPusher: Record<string, string>,
): Promise<void> {
  const header = (name: string) => {
    const value = request.headers[name];
    return typeof value === "string" ? value : "";
  };
  const child = spawn("git", ["http-backend"], {
    cwd: repository.git.folder,
    stdio: ["pipe", "pipe", "ignore"],
    env: {
      ...gitEnvironment(),
      ...environmentOfPusher,
      GIT_PROJECT_ROOT: repository.git.folder,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: path.rest,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? "GET",
      CONTENT_TYPE: header("content-type"),
      REMOTE_USER: "pusher",
      REMOTE_ADDR: "127.0.0.1",
      GIT_PROTOCOL: header("git-protocol"),
    },
  });
  // Decompressed here: http-backend then needs no length, and a cut connection cannot make it wait.
  const body = read
    ? Readable.from([read])
    : header("content-encoding") === "gzip"
      ? request.pipe(createGunzip())
      : request;
  body.on("error", () => child.kill());
  child.stdin.on("error", () => body.unpipe(child.stdin));
  body.pipe(child.stdin);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    relay(child.stdout, response);
    child.on("close", () => {
      if (!response.headersSent) response.writeHead(500);
      response.end();
      resolve();
    });
    // The client disconnected; git must not wait for it.
    response.on("close", () => child.kill());
  });
}

/** Splits the CGI headers from the body. */
function relay(stdout: NodeJS.ReadableStream, response: Answering): void {
  let head = Buffer.alloc(0);
  let open = true;
  stdout.on("data", (chunk: Buffer) => {
    if (!open) {
      response.write(chunk);
      return;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    open = false;
    const lines = head.toString("latin1", 0, end).split("\r\n");
    const headers = lines.map(
      (line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()] as const,
    );
    const status = Number(headers.find(([name]) => name === "Status")?.[1]?.slice(0, 3) ?? 200);
    response.writeHead(status, Object.fromEntries(headers.filter(([name]) => name !== "Status")));
    response.write(head.subarray(end + 4));
  });
}
