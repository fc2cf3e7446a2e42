import { once } from "node:events";
import { request } from "node:http";
import { describe, expect, it } from "vitest";
import { type EarlyListener, listenEarly } from "../../src/http/server/bootstrap.ts";

const LOCAL = { host: "127.0.0.1", port: 0 };

describe("the gate", () => {
  it("holds early requests until somebody answers, and says meanwhile that it is not ready", async () => {
    const gate = await listenEarly(LOCAL);
    const early = fetch(`${gate.url}/early`);
    const ready = await fetch(`${gate.url}/ready`);
    expect([ready.status, await ready.json()]).toEqual([503, { ready: false }]);
    expect((await fetch(`${gate.url}/health`)).status).toBe(200);
    gate.open((_request, response) => response.end("answered"));
    expect(await (await early).text()).toBe("answered");
    await gate.close();
  });

  it("finishes the answer under way, accepts nobody new, and then closes", async () => {
    const gate = await listenEarly(LOCAL);
    const arrived = deferred();
    const go = deferred();
    gate.open(async (_request, response) => {
      arrived.resolve();
      await go.promise;
      response.end("finished");
    });
    const slow = fetch(gate.url);
    await arrived.promise;
    const closed = gate.close();
    await expect.poll(() => refused(gate)).toBe(true);
    go.resolve();
    expect(await (await slow).text()).toBe("finished");
    await closed;
  });

  it("tells requests that it still holds at the end to come again", async () => {
    const gate = await listenEarly(LOCAL);
    const early = fetch(`${gate.url}/early`);
    await expect.poll(() => fetch(`${gate.url}/health`).then((answer) => answer.ok)).toBe(true);
    const closed = gate.close();
    const answer = await early;
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
    await closed;
  });

  it("says when the port is taken", async () => {
    const gate = await listenEarly(LOCAL);
    await expect(listenEarly({ host: "127.0.0.1", port: gate.port })).rejects.toThrow(`Port ${gate.port} is in use`);
    await gate.close();
  });
});

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve: () => resolve() };
}

/** A fresh connection, since a kept one tells nothing of the listener. */
async function refused(gate: EarlyListener): Promise<boolean> {
  const probe = request({ host: "127.0.0.1", port: gate.port, agent: false });
  probe.end();
  const [outcome] = await Promise.race([
    once(probe, "error"),
    once(probe, "response").then(() => [null]),
    new Promise<[null]>((resolve) => setTimeout(() => resolve([null]), 500)),
  ]);
  probe.destroy();
  return outcome instanceof Error && "code" in outcome && outcome.code === "ECONNREFUSED";
}
