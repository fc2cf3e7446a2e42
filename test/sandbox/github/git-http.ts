/** Git over HTTP: checks access, then runs `git http-backend`; changes of refs go to `ref-changes.ts`. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { createGunzip } from "node:zlib";
import { allows, authorize, causeOf } from "./access.ts";
import { Refusal } from "./errors.ts";
import { gitEnvironment } from "./git-command.ts";
import { ZERO } from "./git-refs.ts";
import type { Repository } from "./model.ts";
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
  world: World,
  path: GitPath,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const service = path.rest === "/info/refs" ? url.searchParams.get("service") : path.rest.slice(1);
  const writes = service === "git-receive-pack";
  try {
    const actor = world.tokens.identify(request.headers.authorization);
    const named = world.state.repository(path.owner, path.name);
    const repository = authorize(actor, named, [writes ? "contents:write" : "contents:read"]);
    const run = () => backend(repository, path, url, request, response, environment(repository, actor));
    if (writes && path.rest !== "/info/refs") await push(world, repository, actor, run);
    else await run();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refuse(response, error, request.headers.authorization !== undefined);
  }
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

/** Variables that the hooks of `git-store.ts` read. */
function environment(repository: Repository, actor: Actor): Record<string, string> {
  const permissions = actor.kind === "token" ? actor.token.permissions : { workflows: "write" };
  const isBranch = (branch: string) => `refs/heads/${branch}`;
  return {
    SANDBOX_WORKFLOWS: allows(permissions, "workflows:write") ? "allow" : "deny",
    SANDBOX_PUSHED: pushedFile(repository),
    ...signatureEnvironment(repository, verifiedFile(repository)),
    SANDBOX_PROTECTED: [...repository.protections.keys()].map(isBranch).join(" "),
  };
}

async function push(world: World, repository: Repository, actor: Actor, run: () => Promise<void>): Promise<void> {
  const cause = causeOf(world.state, actor, world.appId);
  // One push at a time, since all report in the same file.
  await world.tasks.exclusive(`push ${repository.id}`, async () => {
    const file = pushedFile(repository);
    rmSync(file, { force: true });
    writeFileSync(verifiedFile(repository), [...repository.verifiedCommits, ""].join("\n"));
    await run();
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
  path: GitPath,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
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
  const body = header("content-encoding") === "gzip" ? request.pipe(createGunzip()) : request;
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
function relay(stdout: NodeJS.ReadableStream, response: ServerResponse): void {
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
