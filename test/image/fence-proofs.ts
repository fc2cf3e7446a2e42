/**
 * What docker alone can show: that a job whose settings name hosts has no way out but the proxy. Plays the steps of
 * run-job.yml as they stand, with the images that were built and with a model on this machine.
 */
import assert from "node:assert/strict";
import { type AddressInfo, connect, createServer } from "node:net";
import { startModel } from "../../src/sandbox/model/server.ts";
import { JOB_ID } from "../unit/agent-job.ts";
import { Runner } from "../process/workflow-steps.ts";
import type { Prove } from "./engine.ts";
import { output } from "./images.ts";

/** Where containers find this machine: the address of docker's own bridge, at which the model is listened for too. */
async function openToContainers(target: string) {
  const host = output("docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}");
  const { hostname, port } = new URL(target);
  const server = createServer((client) => {
    const model = connect(Number(port), hostname);
    for (const side of [client, model]) side.on("error", () => [client, model].map((one) => one.destroy()));
    client.pipe(model).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  const url = `http://${host}:${(server.address() as AddressInfo).port}`;
  return { url, close: () => void server.close() };
}

/** What a program tries that does not mean to ask the proxy, a word for each; without `then`, which parts two tasks. */
const attempts = (model: string): string =>
  [
    `direct() { curl -sS --noproxy '*' -m 5 -o /dev/null "$2" 2>/dev/null && echo "$1 reached" || echo "$1 shut"; }`,
    `direct runner ${model}/`,
    `direct gateway http://$(hostname -I | cut -d. -f1-3).1:${new URL(model).port}/`,
    "direct internet http://1.1.1.1/",
    `getent hosts example.org >/dev/null && echo "names known" || echo "names shut"`,
    `echo "proxy $(curl -sS -p -o /dev/null -w '%{http_connect}' --noproxy '' --proxy "$HTTPS_PROXY" ${model}/)"`,
    `echo "elsewhere $(curl -sS -o /dev/null -w '%{http_connect}' https://elsewhere.example.org/ 2>/dev/null)"`,
  ].join("; ");

export async function proveFence(image: string, prove: Prove): Promise<void> {
  const model = await startModel();
  const open = await openToContainers(model.url);
  const task = `run { ${attempts(open.url)}; } > asked.txt 2>&1`;
  const runner = new Runner({}, { brief: { egress: ["listed.invalid"] }, task });
  const env = { AGENT_IMAGE: image, ANTHROPIC_API_KEY: "image-model-key-0123456789", ANTHROPIC_BASE_URL: open.url };
  try {
    await prove("a job whose settings name hosts reaches the model, and gets past the proxy nowhere", async () => {
      assert.equal((await runner.step("Prepare").ended).code, 0);
      const ran = await runner.step("Run the agent", env).ended;
      assert.equal(ran.code, 0, ran.output);
      const pushed = await runner.step("Push the work").ended;
      assert.equal(pushed.code, 0, pushed.output);
      const asked = runner.pushed("asked.txt")?.split("\n");
      const shut = ["runner shut", "gateway shut", "internet shut", "names shut"];
      assert.deepEqual(asked, [...shut, "proxy 200", "elsewhere 403"]);
    });
    await prove("its network and its proxy are gone after it", async () => {
      const left = [output("docker", "network", "ls"), output("docker", "ps", "--all")].join("\n");
      assert.ok(!left.includes(`journeyman-${JOB_ID}`), left);
    });
  } finally {
    runner.remove();
    open.close();
    await model.close();
  }
}
