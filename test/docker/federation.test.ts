/**
 * A run without a key, in real containers: the provider is reached by HTTPS, as the gateway insists, by a certificate that
 * its image trusts. What the run's code finds, and what this machine sees of docker, holds none of the tokens.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import { createServer as createSecureServer, type Server as SecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { federation, identityToken, RULE } from "../contract/identity-issuer.ts";
import { Runner } from "../process/action-runner.ts";
import { type Model, startModel } from "../sandbox/model/server.ts";
import { JOB_ID } from "../unit/agent-job.ts";
import { describeContainers, docker, hostAddress, imageOf, newName, until } from "./containers.ts";

const REQUEST_TOKEN = "request-token-of-the-run-5d0c41";
const FOLDER = `.jobs/${JOB_ID}`;

const portOf = (server: Server | SecureServer): number => (server.address() as AddressInfo).port;
const close = (server: Server | SecureServer | undefined): void => {
  server?.close();
  server?.closeAllConnections();
};

/** GitHub's place for identity tokens. */
async function startIssuer(given: string[]): Promise<Server> {
  const server = createServer((call, answer) => {
    if (call.headers.authorization !== `Bearer ${REQUEST_TOKEN}`) return void answer.writeHead(401).end();
    const value = identityToken(given.length + 1);
    given.push(value);
    answer.end(JSON.stringify({ count: value.length, value }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

/** Passes calls on to the model. */
async function startSecure(model: Model, folder: string): Promise<SecureServer> {
  const read = (name: string): Buffer => readFileSync(join(folder, name));
  const server = createSecureServer({ key: read("key.pem"), cert: read("cert.pem") }, async (call, answer) => {
    const { method, headers } = call;
    const body = await text(call);
    const passed = request(`${model.url}${call.url}`, { method, headers }, (said) => {
      answer.writeHead(said.statusCode ?? 502, said.headers);
      said.pipe(answer);
    });
    passed.on("error", () => answer.destroy());
    passed.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  return server;
}

/** The agent's image with one more certificate. */
async function imageThatTrusts(certificate: string): Promise<string> {
  const name = newName();
  await docker("create", "--name", name, imageOf("agent"));
  try {
    await docker("cp", certificate, `${name}:/opt/journeyman/test-provider.pem`);
    return await docker("commit", "--change", "ENV NODE_EXTRA_CA_CERTS=/opt/journeyman/test-provider.pem", name);
  } finally {
    await docker("rm", "--force", name);
  }
}

describeContainers("a run without a key, in real containers", () => {
  const given: string[] = [];
  const folder = mkdtempSync(join(tmpdir(), "federation-test-"));
  let model: Model;
  let issuer: Server;
  let secure: SecureServer;
  let image: string;
  let runner: Runner;

  beforeAll(async () => {
    const address = await hostAddress();
    const subject = ["-subj", "/CN=provider", "-addext", `subjectAltName=IP:${address}`];
    const files = ["-keyout", "key.pem", "-out", "cert.pem", "-days", "2"];
    execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...files, ...subject], {
      cwd: folder,
      stdio: "ignore",
    });
    writeFileSync(join(folder, "trusted.pem"), readFileSync(join(folder, "cert.pem")), { mode: 0o644 });
    model = await startModel({ federation: federation() });
    [issuer, secure, image] = await Promise.all([
      startIssuer(given),
      startSecure(model, folder),
      imageThatTrusts(join(folder, "trusted.pem")),
    ]);
  });
  afterAll(async () => {
    runner?.remove();
    close(issuer);
    close(secure);
    await model?.close();
    if (image) await docker("image", "rm", "--force", image);
    rmSync(folder, { recursive: true, force: true });
  });

  test("it signs in as itself, pushes its work, and no token is where its code or docker's user looks", async () => {
    const spy = "{ env; cat /proc/[0-9]*/environ; cat /proc/[0-9]*/cmdline; } > found.txt 2>&1";
    const wait = "touch waiting; until [ -e looked ]; do sleep 0.1; done";
    runner = new Runner({}, { task: `run ${spy}; ${wait}; rm waiting looked` });
    const env: Record<string, string> = {
      ...{ INPUT_AGENT_IMAGE: image, INPUT_ANTHROPIC_API_KEY: "" },
      INPUT_ANTHROPIC_BASE_URL: `https://${await hostAddress()}:${portOf(secure)}`,
      INPUT_ANTHROPIC_FEDERATION_RULE_ID: RULE.id,
      INPUT_ANTHROPIC_ORGANIZATION_ID: RULE.organization,
      INPUT_ANTHROPIC_SERVICE_ACCOUNT_ID: RULE.serviceAccount,
      ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${portOf(issuer)}/idtoken?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: REQUEST_TOKEN,
      ...(process.env.DOCKER_HOST === undefined ? {} : { DOCKER_HOST: process.env.DOCKER_HOST }),
    };
    const { child, ended } = runner.start("main", env);
    let over = false;
    child.once("close", () => {
      over = true;
    });
    const agent = `journeyman-${JOB_ID}`;
    const waits = async () =>
      over ||
      (await execa("docker", ["exec", agent, "test", "-e", "/workspace/waiting"], { reject: false })).exitCode === 0;
    await until("the job waits to be looked at", waits);
    const seen = over
      ? ""
      : `${(await execa("ps", ["-eo", "args"])).stdout}${await docker("inspect", agent, `${agent}-gateway`)}`;
    await execa("docker", ["exec", agent, "touch", "/workspace/looked"], { reject: false });
    const main = await ended;
    const post = await runner.start("post", env).ended;
    expect([main.code, post.code], main.output + post.output).toEqual([0, 0]);

    const [exchanged] = model.federation.exchanges;
    expect(exchanged?.status).toBe(200);
    const bearers = model.requests().map(({ headers }) => headers.authorization ?? "");
    const access = bearers[0]?.replace("Bearer ", "") ?? "";
    expect(access).toMatch(/^sk-ant-oat01-/);
    expect(new Set(bearers).size).toBe(1);
    expect(given).toHaveLength(1);
    const places = {
      "the agent's container": runner.pushed("found.txt") ?? "",
      "docker and the list of processes": seen,
      "the log": runner.pushed(`${FOLDER}/log.jsonl`) ?? "",
    };
    for (const [place, found] of Object.entries(places)) {
      expect(found.length, place).toBeGreaterThan(100);
      for (const secret of [access, REQUEST_TOKEN, ...given]) expect(found.includes(secret), place).toBe(false);
    }
    const unmasked = main.output.replaceAll(/^::add-mask::.*$/gm, "");
    for (const secret of [access, REQUEST_TOKEN, ...given]) expect(unmasked).not.toContain(secret);
  });
});
