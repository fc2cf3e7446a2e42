/**
 * Runs that talk to the server: a job at work, the claims of its run's token, and an issuer of such tokens over a real
 * socket.
 */
import type { KeyObject } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";
import * as z from "zod";
import { asJobId, type Job, type JobId, type Run } from "../../src/domain/job/job.ts";
import type { RunClaims } from "../../src/domain/job/run-claims.ts";
import { keyPair } from "../sandbox/github/key-pair.ts";
import type { TestServer } from "./http-server.ts";
import { observe } from "./observed-repositories.ts";

export const REPOSITORY_ID = 4_711;
export const RUN_ID = 500;
export const BRIEF_SHA = "a".repeat(40);

export const jobIdOf = (text: string): JobId => {
  const id = asJobId(text);
  if (id === null) throw new Error(`not the id of a job: ${text}`);
  return id;
};

/** What GitHub says in a token of the job's run. */
export const claimsOf = (job: string, change: Partial<RunClaims> = {}): RunClaims => {
  const ref = `refs/heads/job/${job}`;
  const workflow = `octocat/hello-world/.github/workflows/run-job.yml@${ref}`;
  return {
    ...{ repository_id: REPOSITORY_ID, ref, run_id: RUN_ID, run_attempt: 1, event_name: "push" },
    ...{ workflow_ref: workflow, job_workflow_ref: workflow },
    ...change,
  };
};

const aRun = (change: Partial<Run>): Run => ({
  ...{ id: RUN_ID, attempt: 1, url: "https://github.com/octocat/hello-world/actions/runs/500" },
  ...{ status: "in_progress", conclusion: null },
  ...change,
});

/** News of the job's run, as a webhook brings them. */
export async function runNews({ engine }: TestServer, id: string, change: Partial<Run> = {}): Promise<Job> {
  const handled = await engine.handle(jobIdOf(id), {
    ...{ type: "run-changed", run: aRun(change), head_sha: BRIEF_SHA },
    commit_message: `Run job ${id}: Say hello`,
  });
  if (!handled.ok) throw new Error(handled.refusal.sentence);
  return handled.job;
}

/** A job whose brief is on GitHub; answers its id. */
export async function queueJob(server: TestServer, id?: string): Promise<string> {
  const { store, engine } = server;
  const at = { owner: "octocat", name: "hello-world", installation_id: 1 };
  await observe(store.repositories, { ...at, id: REPOSITORY_ID, base: null, settings: null, settings_problem: null });
  const known = id === undefined ? undefined : jobIdOf(id);
  const created = await engine.create(
    {
      ...{ account: "admin", repository: at, runner: "actions", requester: null, title: "Say hello" },
      ...{ origin: { kind: "rest", dialect: "create-job", key_id: null }, task: "Say hello", base_branch: null },
      ...{ choices: { provider: null, model: null, no_merge: false, draft: false }, callback_url: null },
      ...{ price_cents: 0, time_limit_seconds: 1_800 },
    },
    known,
  );
  if (!created.ok) throw new Error(created.refusal.sentence);
  const pushed = await engine.waitFor(created.job.id, ({ job }) => job.brief_sha !== null, 10_000);
  if (pushed === null) throw new Error("the brief was never pushed");
  return created.job.id;
}

/** A job whose run has begun; answers its id. */
export async function startRun(server: TestServer, known?: string): Promise<string> {
  const id = await queueJob(server, known);
  await runNews(server, id);
  return id;
}

export interface Issuer {
  readonly url: string;
  /** How often its keys were read. */
  asked(): number;
  /** Its keys are answered with this status from now on. */
  status: number;
  /** A token as GitHub signs it; `claims` stand over the usual ones. */
  sign(claims: object, header?: object): Promise<string>;
  /** One that is signed with a key of somebody else's, under the name of the issuer's. */
  forge(claims: object): Promise<string>;
  readonly jwk: JWK;
  close(): Promise<void>;
}

/** Claims as they stand in a token: numbers are texts. */
const asTexts = (claims: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(claims).map(([name, value]) => [name, typeof value === "number" ? `${value}` : value]),
  );

const registered = z
  .object({ iss: z.string(), aud: z.string(), iat: z.number(), nbf: z.number(), exp: z.number() })
  .partial();

/** What a test says of issuer, audience and times stands as it is. */
const timesOf = (claims: object): JWTPayload => JSON.parse(JSON.stringify(registered.parse(claims)));

export async function startIssuer(subscriptionMatcher: string, now: () => number): Promise<Issuer> {
  const own = keyPair();
  const jwk = { ...(await exportJWK(own.publicKey)), kid: "k1", alg: "RS256", use: "sig" };
  let asked = 0;
  const server = createServer((request, response) => {
    if (request.url === "/.well-known/jwks") asked++;
    response.writeHead(issuer.status, { "content-type": "application/json" }).end(JSON.stringify({ keys: [jwk] }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const signed = (key: CryptoKey | KeyObject, claims: object, header: object = {}): Promise<string> => {
    const seconds = Math.floor(now() / 1_000);
    const usual = { iss: url, aud: subscriptionMatcher, iat: seconds, nbf: seconds - 600, exp: seconds + 300 };
    const sub = "repo:octocat@1/hello-world@4711:ref:refs/heads/x";
    const payload: JWTPayload = { ...asTexts(claims), ...usual, sub, ...timesOf(claims) };
    return new SignJWT(payload).setProtectedHeader({ alg: "RS256", kid: "k1", ...header }).sign(key);
  };
  const issuer: Issuer = {
    url,
    asked: () => asked,
    status: 200,
    sign: (claims, header) => signed(own.privateKey, claims, header),
    forge: async (claims) => signed((await generateKeyPair("RS256")).privateKey, claims),
    jwk,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return issuer;
}
