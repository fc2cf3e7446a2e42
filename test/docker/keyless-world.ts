/**
 * The provider and GitHub for a run without a key: the provider is reached by HTTPS, as the gateway insists, by a
 * certificate that the agent's image trusts.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import { createServer as createSecureServer, type Server as SecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { federation, identityToken, RULE } from "../contract/identity-issuer.ts";
import { type Model, startModel } from "../sandbox/model/server.ts";
import { docker, hostAddress, imageOf, newName } from "./containers.ts";

export const REQUEST_TOKEN = "request-token-of-the-run-5d0c41";

const portOf = (server: Server | SecureServer): number => (server.address() as AddressInfo).port;
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

export interface KeylessWorld {
  readonly model: Model;
  /** The identity tokens so far. */
  readonly given: readonly string[];
  /** What the step gets. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export async function startKeylessWorld(): Promise<KeylessWorld> {
  const folder = mkdtempSync(join(tmpdir(), "keyless-test-"));
  const address = await hostAddress();
  const subject = ["-subj", "/CN=provider", "-addext", `subjectAltName=IP:${address}`];
  const files = ["-keyout", "key.pem", "-out", "cert.pem", "-days", "2"];
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...files, ...subject], {
    cwd: folder,
    stdio: "ignore",
  });
  const trusted = join(folder, "trusted.pem");
  writeFileSync(trusted, readFileSync(join(folder, "cert.pem")), { mode: 0o644 });
  const given: string[] = [];
  const model = await startModel({ federation: federation() });
  const [issuer, secure] = await Promise.all([startIssuer(given), startSecure(model, folder)]);
  const image = await imageThatTrusts(trusted);
  return {
    model,
    given,
    env: {
      ...{ INPUT_AGENT_IMAGE: image, INPUT_ANTHROPIC_API_KEY: "" },
      INPUT_ANTHROPIC_BASE_URL: `https://${address}:${portOf(secure)}`,
      INPUT_ANTHROPIC_FEDERATION_RULE_ID: RULE.id,
      INPUT_ANTHROPIC_ORGANIZATION_ID: RULE.organization,
      INPUT_ANTHROPIC_SERVICE_ACCOUNT_ID: RULE.serviceAccount,
      ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${portOf(issuer)}/idtoken?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: REQUEST_TOKEN,
    },
    async close() {
      for (const server of [issuer, secure]) {
        server.close();
        server.closeAllConnections();
      }
      await model.close();
      await docker("image", "rm", "--force", image);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
