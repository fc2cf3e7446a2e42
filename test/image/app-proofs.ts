/** What must hold of the server's image, against a GitHub on this machine. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startGitHub } from "../../src/sandbox/github/main.ts";
import { type Prove, said, start, type Started, until } from "./engine.ts";
import type { Engine } from "./images.ts";

const API_KEY = "image-admin-key-0123456789";
/** The user `node` of the base image. */
const UID = 1000;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("there is no free port");
  return address.port;
}

export async function proveApp(engine: Engine, prove: Prove): Promise<void> {
  const github = await startGitHub();
  const data = mkdtempSync(join(tmpdir(), "journeyman-data-"));
  engine.own(data, UID);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = {
    APP_ID: String(github.appId),
    PRIVATE_KEY: Buffer.from(github.privateKey).toString("base64"),
    WEBHOOK_SECRET: "image-webhook-secret-0123456789",
    GHE_HOST: new URL(github.url).host,
    GHE_PROTOCOL: "http",
    PUBLIC_URL: url,
    PORT: String(port),
    API_KEY,
  };
  const status = (path: string): Promise<number> =>
    fetch(`${url}${path}`, { headers: { "x-api-key": API_KEY } }).then(
      (answer) => answer.status,
      () => 0,
    );
  const serve = async (): Promise<Started> => {
    const server = start(engine, "app", { env, mounts: { "/data": data } });
    await until(server, async () => (await status("/ready")) === 200);
    return server;
  };
  const stop = async (server: Started): Promise<void> => {
    server.stop();
    assert.equal(await server.ended, 0, server.output());
  };
  const { Healthcheck, User, Labels } = engine.config("app");
  const [, check = "", ...checkArgs] = Healthcheck?.Test ?? [];
  const healthy = () => start(engine, "app", { env, entrypoint: check, args: checkArgs }).ended;

  try {
    await prove("the server's image is small, labelled, and not root's", async () => {
      assert.equal(User, "node");
      assert.equal(Labels?.["org.opencontainers.image.licenses"], "MIT");
      assert.equal(await said(engine, "app", "id", "-u"), String(UID));
      const packages = await said(engine, "app", "ls", "node_modules");
      assert.ok(!/^(?:typescript|vitest|esbuild|tsx)$/m.test(packages), "it holds what only builds need");
      assert.ok(engine.size("app") < 420e6, `${engine.size("app")} bytes`);
    });
    await prove(
      "it answers /health, /ping and /ready with a volume for its data, and its health check says so",
      async () => {
        assert.notEqual(await healthy(), 0);
        const server = await serve();
        for (const path of ["/health", "/ping", "/ready"]) assert.equal(await status(path), 200, path);
        assert.equal(await healthy(), 0);
        const made = await fetch(`${url}/api/keys`, {
          method: "POST",
          headers: { "x-api-key": API_KEY, "content-type": "application/json" },
          body: JSON.stringify({ account: "octocat", scopes: ["read"] }),
        });
        assert.equal(made.status, 201);
        await stop(server);
      },
    );
    await prove("it ends with 0 when it is told to, and finds what it knew when it starts again", async () => {
      const server = await serve();
      const keys = await fetch(`${url}/api/keys`, { headers: { "x-api-key": API_KEY } });
      assert.match(await keys.text(), /"octocat"/);
      await stop(server);
    });
    await prove("it writes to its volume alone, as its own user", async () => {
      assert.deepEqual(engine.stray("app"), []);
      const find = { entrypoint: "find", args: ["/data", "-not", "-user", String(UID)], mounts: { "/data": data } };
      const others = start(engine, "app", find);
      assert.equal(await others.ended, 0);
      assert.equal(others.output(), "");
    });
  } finally {
    await github.close();
    engine.own(data, process.getuid?.() ?? 0);
    rmSync(data, { recursive: true, force: true });
  }
}
