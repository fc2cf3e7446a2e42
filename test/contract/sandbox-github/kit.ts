/** Shared parts of the local GitHub's tests: a client, a receiver of webhooks, real git. */
import { createHmac, createSign, timingSafeEqual } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import * as z from "zod";
import { type GitHubOptions, type SandboxGitHub, startGitHub } from "../../sandbox/github/main.ts";

export const json = z.record(z.string(), z.unknown());

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed by each test with the shape that it expects. */
  readonly body: unknown;
}

export type Call = (line: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;

/** `call("POST /repos/o/r/issues", body)` with a token. */
export function client(github: SandboxGitHub, authorization?: string): Call {
  return async (line, body, headers = {}) => {
    const [method = "GET", path = "/"] = line.split(" ");
    const url = path.startsWith("http") ? path : `${github.apiUrl}${path}`;
    const response = await fetch(url, {
      method,
      redirect: "manual",
      headers: { ...(authorization ? { authorization } : {}), ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("application/json");
    return {
      status: response.status,
      headers: response.headers,
      body: isJson && text !== "" ? JSON.parse(text) : text,
    };
  };
}

export function appJwt(github: SandboxGitHub, claims: Partial<{ iat: number; exp: number; iss: number }> = {}): string {
  const now = Math.floor(Date.now() / 1000);
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const payload = { iat: now - 30, exp: now + 540, iss: github.appId, ...claims };
  const head = `${encode({ alg: "RS256", typ: "JWT" })}.${encode(payload)}`;
  return `${head}.${createSign("RSA-SHA256").update(head).sign(github.privateKey, "base64url")}`;
}

export const asApp = (github: SandboxGitHub): Call => client(github, `Bearer ${appJwt(github)}`);

export async function installationToken(github: SandboxGitHub, id: number, body?: unknown): Promise<string> {
  const answer = await asApp(github)(`POST /app/installations/${id}/access_tokens`, body);
  return z.object({ token: z.string() }).parse(answer.body).token;
}

export interface Received {
  readonly event: string;
  readonly action: string | undefined;
  readonly guid: string;
  readonly signed: boolean;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly payload: z.infer<typeof json>;
}

const SECRET = "a secret of the test";

/** An App that only listens. */
export async function receiver() {
  const received: Received[] = [];
  let status = 200;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      const expected = `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`;
      const given = String(request.headers["x-hub-signature-256"]);
      const payload = json.parse(JSON.parse(body.toString("utf8")));
      received.push({
        event: String(request.headers["x-github-event"]),
        action: typeof payload.action === "string" ? payload.action : undefined,
        guid: String(request.headers["x-github-delivery"]),
        signed: given.length === expected.length && timingSafeEqual(Buffer.from(given), Buffer.from(expected)),
        headers: request.headers,
        payload,
      });
      response.writeHead(status).end("ok");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return {
    target: { url: `http://127.0.0.1:${port}/hook`, secret: SECRET },
    received,
    names: () => received.map((one) => (one.action ? `${one.event}.${one.action}` : one.event)),
    answerWith: (next: number) => {
      status = next;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

export const REPO = "octo/demo";

/** A local GitHub with one repository, one installation and a listening App. */
export async function world(
  options: GitHubOptions & { files?: Record<string, string>; permissions?: Record<string, string> } = {},
) {
  const { files, permissions, ...rest } = options;
  const app = await receiver();
  const github = await startGitHub({ webhook: app.target, ...rest });
  github.createUser("writer");
  github.createUser("stranger");
  github.createRepository({
    owner: "octo",
    name: "demo",
    files: files ?? { "README.md": "# demo\n", "src/a.txt": "one\ntwo\nthree\n" },
  });
  github.setCollaborator(REPO, "writer", "write");
  const installation = github.install(REPO, permissions ? { permissions } : {});
  const token = await installationToken(github, installation);
  await github.idle();
  app.received.length = 0;
  github.resetCalls();
  const folder = mkdtempSync(join(tmpdir(), "sandbox-github-test-"));
  return {
    github,
    app,
    installation,
    token,
    folder,
    call: client(github, `token ${token}`),
    as: (login: string) => client(github, `token ${github.userToken(login)}`),
    close: async () => {
      await github.close();
      await app.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export type World = Awaited<ReturnType<typeof world>>;

/** Real git, without the settings of the machine. */
export async function git(folder: string, args: readonly string[], token?: string) {
  const header = token
    ? `Authorization: Basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`
    : undefined;
  const extra = header ? ["-c", `http.extraHeader=${header}`] : [];
  const result = await execa(
    "git",
    ["-c", "user.name=Agent", "-c", "user.email=agent@example.com", "-c", "init.defaultBranch=main", ...extra, ...args],
    {
      cwd: folder,
      reject: false,
      env: {
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_CONFIG_GLOBAL: "/dev/null",
        GIT_TERMINAL_PROMPT: "0",
        GIT_ASKPASS: "/bin/false",
      },
    },
  );
  return { code: result.exitCode, out: String(result.stdout), err: String(result.stderr) };
}

export const message = (answer: Answer): string => z.object({ message: z.string() }).parse(answer.body).message;
export const field = (answer: Answer, name: string): unknown => json.parse(answer.body)[name];
export const text = (answer: Answer, name: string): string => z.string().parse(field(answer, name));

/** tree → commit → ref, as the App does it. Returns the commit. */
export async function pushBranch(
  call: Call,
  github: SandboxGitHub,
  branch: string,
  files: Record<string, string>,
  subject = "Change",
): Promise<string> {
  const parent = github.branches(REPO).main ?? "";
  const base = text(await call(`GET /repos/${REPO}/git/commits/${parent}`), "sha");
  const tree = await call(`POST /repos/${REPO}/git/trees`, {
    base_tree: base,
    tree: Object.entries(files).map(([path, content]) => ({ path, mode: "100644", type: "blob", content })),
  });
  const commit = await call(`POST /repos/${REPO}/git/commits`, {
    message: subject,
    tree: text(tree, "sha"),
    parents: [parent],
  });
  const sha = text(commit, "sha");
  await call(`POST /repos/${REPO}/git/refs`, { ref: `refs/heads/${branch}`, sha });
  return sha;
}

export async function graphql(call: Call, query: string, variables: Record<string, unknown> = {}) {
  const answer = await call("POST /graphql", { query, variables });
  const shape = z.object({
    data: z.unknown().optional(),
    errors: z.array(z.looseObject({ message: z.string(), type: z.string().optional() })).optional(),
  });
  return { status: answer.status, ...shape.parse(answer.body) };
}
