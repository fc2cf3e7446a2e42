/** What must hold of the agent's image, against a scripted model on this machine. */
import assert from "node:assert/strict";
import { startModel } from "../../src/sandbox/model/server.ts";
import { JOB_ID, makeCheckout } from "../unit/agent-job.ts";
import { type Prove, said, start, until } from "./engine.ts";
import type { Engine } from "./images.ts";

const UID = 10_001;
const KEY = "image-model-key-0123456789";

const reversed = (text: string): string => [...text].reverse().join("");

/**
 * What a model would try that wants the key: its parents' environment and memory, and everybody's. Turned around, since
 * the key as it stands would be taken out of the files that a job leaves.
 */
const THEFT = [
  "{ cat /proc/$PPID/environ /proc/[0-9]*/environ; grep -a image-model /proc/$PPID/mem; env; } 2> refused.txt",
  "| tr '\\0' '\\n' | rev > stolen.txt",
  "; id -u > who.txt; ls -l /proc/$PPID/exe > /dev/null 2>> refused.txt; true",
].join(" ");

export async function proveAgent(engine: Engine, prove: Prove): Promise<void> {
  const model = await startModel();
  const host = new URL(model.url).host;
  const job = async (task: string, env: Record<string, string> = {}, brief = {}) => {
    const checkout = makeCheckout(brief, {}, {}, task);
    engine.own(checkout.folder, UID);
    const access = { JOB_ID, ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: model.url, ...env };
    const agent = start(engine, "agent", { env: access, mounts: { "/workspace": checkout.folder } });
    const code = await agent.ended;
    engine.own(checkout.folder, process.getuid?.() ?? 0);
    assert.equal(code, 0, agent.output());
    return { checkout, output: agent.output() };
  };
  const proxy = async (allowed: string) => {
    const env = { EGRESS_ALLOWED: allowed, ANTHROPIC_BASE_URL: model.url };
    const started = start(engine, "agent", { env, entrypoint: "egress" });
    await until(started, async () => /^listening on \d+$/m.test(started.output()));
    return { ...started, url: `http://127.0.0.1:${/^listening on (\d+)$/m.exec(started.output())?.[1]}` };
  };

  try {
    await prove("the agent's image is small, labelled, not root's, and has what a model reaches for", async () => {
      const { User, Labels, Env } = engine.config("agent");
      assert.equal(User, "agent");
      assert.equal(Labels?.["org.opencontainers.image.licenses"], "MIT");
      assert.ok(Env.includes("EGRESS_LISTEN=0.0.0.0"));
      assert.equal(await said(engine, "agent", "id", "-u"), String(UID));
      for (const tool of ["git", "rg", "jq", "python3", "curl", "node"]) await said(engine, "agent", tool, "--version");
      assert.equal(await said(engine, "agent", "ls", "/opt/journeyman"), "LICENSE\ndist\ninit\nnode\npackage.json");
      assert.ok(engine.size("agent") < 600e6, `${engine.size("agent")} bytes`);
    });
    await prove("it works on a job of a mounted checkout, on its bundle alone", async () => {
      const { checkout } = await job("create HELLO.md that says hello");
      assert.equal(checkout.file("HELLO.md").trim(), "hello");
      assert.equal(checkout.result().outcome, "done");
      checkout.remove();
    });
    await prove("the model's shell runs as the same user and cannot read the provider's key from /proc", async () => {
      const { checkout, output } = await job(`run ${THEFT}`);
      assert.equal(checkout.file("who.txt").trim(), String(UID));
      const stolen = checkout.file("stolen.txt");
      assert.ok(stolen.includes(reversed("PATH=")), "nothing was read");
      assert.ok(!stolen.includes(reversed(KEY)) && !output.includes(KEY), "the key is in reach");
      const refused = checkout.file("refused.txt");
      for (const place of ["environ", "mem", "exe"])
        assert.match(refused, new RegExp(`/proc/\\d+/${place}\\b.*Permission denied`), refused);
      checkout.remove();
    });
    await prove("the proxy starts from the same image, lets the model through and nothing else, and ends", async () => {
      const { url, stop, ended, output } = await proxy("listed.invalid");
      const elsewhere = "curl -sS https://elsewhere.example.org; curl -sS --noproxy '*' --proxy $HTTPS_PROXY";
      const task = `run (${elsewhere} -p http://${host}/ -o /dev/null -w %{http_connect}) > asked.txt 2>&1; true`;
      const { checkout } = await job(task, { EGRESS_PROXY: url }, { egress: ["listed.invalid"] });
      assert.match(checkout.file("asked.txt"), /403/);
      assert.ok(checkout.log().some(({ text }) => text.startsWith("Not let through: elsewhere.example.org")));
      assert.match(output(), /^Not let through: elsewhere\.example\.org/m);
      checkout.remove();
      stop();
      assert.equal(await ended, 0);
    });
    await prove("the courier starts from the same image", async () => {
      assert.match(await said(engine, "agent", "courier", "hand-in"), /^no .*APP_URL is not set/);
    });
    await prove("a wrong host ends the proxy before it listens", async () => {
      const env = { EGRESS_ALLOWED: "10.0.0.1" };
      const started = start(engine, "agent", { env, entrypoint: "egress" });
      assert.equal(await started.ended, 2, started.output());
    });
    await prove("nothing is written outside of /tmp and the checkout", async () => {
      assert.deepEqual(engine.stray("agent"), []);
    });
  } finally {
    await model.close();
  }
}
