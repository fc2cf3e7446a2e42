/** Node programs of the model's shell reach the listed hosts, as curl and git do. */
import { execFile } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { createAllowList } from "../../agent/gateway/allow-list.ts";
import { createProxy } from "../../agent/gateway/proxy.ts";
import { Refusals } from "../../agent/gateway/refusals.ts";
import { startServer } from "../../agent/gateway/server.ts";
import { readSettings } from "../../agent/settings.ts";
import { JOB_ID } from "../unit/agent-job.ts";

const run = promisify(execFile);

/** Of this machine, as the internet is seen from it. */
const OUTSIDE = "127.0.0.2";

test("Node's own fetch goes through the proxy: to a host of the list, and to no other", async () => {
  const outside = createServer((asked, answer) => answer.end(`${asked.headers.host} ${asked.url}`));
  await new Promise<void>((resolve) => outside.listen(0, OUTSIDE, resolve));
  onTestFinished(() => void outside.close());
  const { port } = outside.address() as AddressInfo;
  const listed = createAllowList(["good.example.org"]);
  const refusals = new Refusals(() => {});
  const proxy = createProxy({
    // A port that anybody may open stands for 80.
    allows: (target) => listed(target.port === port ? { ...target, port: 80 } : target),
    dialPorts: { resolve: async () => [{ address: OUTSIDE, family: 4 }], mayReach: (address) => address === OUTSIDE },
    onRefusal: (reason) => refusals.add(reason),
  });
  const server = await startServer({ endpoint: null, proxy, refusals, print: () => {} }, "127.0.0.1");
  onTestFinished(() => server.close());
  const read = readSettings({ JOB_ID, EGRESS_PROXY: `http://127.0.0.1:${server.port}` }, "/");
  if (!read.ok) throw new Error(read.reason);
  const ask = async (address: string): Promise<string> => {
    const code =
      "fetch(process.argv[1]).then((a) => a.text()).then(console.log, (e) => { for (; e; e = e.cause) console.log(e.message); })";
    const env = { ...read.settings.shellEnvironment };
    return (await run(process.execPath, ["-e", code, address], { env })).stdout.trim();
  };
  expect(await ask(`http://good.example.org:${port}/deep`)).toBe(`good.example.org:${port} /deep`);
  expect(await ask(`https://other.example.org:${port}/`)).toMatch(/403/);
  expect(await ask(`http://other.example.org:${port}/`)).toMatch(/Blocked|403/);
  expect(refusals.after(0)).toHaveLength(1);
  // A server that the model starts for its tests is reached without it.
  const own = createServer((_, answer) => answer.end("own"));
  await new Promise<void>((resolve) => own.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void own.close());
  expect(await ask(`http://127.0.0.1:${(own.address() as AddressInfo).port}/`)).toBe("own");
  expect(await ask(`http://localhost:${(own.address() as AddressInfo).port}/`)).toBe("own");
});
