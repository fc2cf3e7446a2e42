import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RunnerBench, textOf, workflow } from "./runner-harness.ts";

let bench: RunnerBench;

beforeEach(async () => {
  bench = await RunnerBench.open();
});

afterEach(() => bench.close());

describe("docker on the PATH of the steps", () => {
  const AGENT = `
    import { writeFileSync } from "node:fs";
    for (const name of ["SIGINT", "SIGTERM"]) process.on(name, () => { console.log("agent: asked to stop"); process.exit(7); });
    writeFileSync("made.txt", JSON.stringify({ env: process.env, args: process.argv.slice(2), cwd: process.cwd() }));
    console.log("agent: here");
    if (process.env.MODE === "wait") setInterval(() => {}, 1000);
    else process.exit(Number(process.env.CODE ?? 0));`;
  const withAgent = async (script: string, job = "") => {
    bench.backend.commit({ "x.txt": "x" });
    await writeFile(join(bench.backend.folder, "agent.mjs"), AGENT);
    return workflow(`- run: |\n${script.trim().replaceAll(/^/gm, "    ")}`, { job });
  };

  test("starts the agent in the mounted folder with only the variables it is given", async () => {
    const { run, job } = await bench.play(
      await withAgent(`
export PASSED=one KEPT=two
docker pull -q example/agent:1
docker run --rm --init --name n1 --user 10001:10001 --cap-drop ALL --security-opt no-new-privileges --read-only --tmpfs /tmp \\
  --memory=4g -v "$PWD:/workspace:rw" -w /workspace -e PASSED -e "WHERE=/workspace/sub" -e NOT_SET example/agent:1 --file /workspace/a.md
node -e '
  const { env, args, cwd } = JSON.parse(require("fs").readFileSync("made.txt", "utf8"));
  console.log("names=" + Object.keys(env).sort(), env.PASSED, env.WHERE === process.cwd() + "/sub", args[1] === process.cwd() + "/a.md", cwd === process.cwd());
'`),
    );
    expect(textOf(job?.log)).toContain("names=HOME,HOSTNAME,LANG,PASSED,PATH,WHERE one true true true");
    expect(run?.conclusion).toBe("success");
  });

  test("reads bind mounts and env files, and starts in the first mount without a working folder", async () => {
    const { run, job } = await bench.play(
      await withAgent(`
mkdir shared && printf '# words\\nCODE=0\\nBOX=/box\\n' > vars.txt
docker run -it --env-file vars.txt --mount type=bind,source=$PWD/shared,target=/box,readonly --mount type=tmpfs,target=/tmp image
node -e 'const { env, cwd } = JSON.parse(require("fs").readFileSync("shared/made.txt")); console.log(env.BOX === cwd, cwd === process.cwd() + "/shared")'`),
    );
    expect(textOf(job?.log)).toContain("\ntrue true\n");
    expect(run?.conclusion).toBe("success");
  });

  test("starts another program of the image by its name, beside the agent, and gives it input where that is asked for", async () => {
    const files = await withAgent(`
docker run -e CODE=0 -v "$PWD:/w" image > >(docker run --rm -i --log-driver none --entrypoint other image one two) &
agent=$! other=$!
wait $agent; tail --pid=$other -s 0.1 -f /dev/null
echo lost | docker run --entrypoint other image
docker run --entrypoint nobody image || echo "code $?"`);
    const OTHER = `
      let text = "";
      for await (const chunk of process.stdin) text += chunk;
      console.log("other: " + process.argv.slice(2) + " heard " + JSON.stringify(text) + Object.keys(process.env).includes("CODE"));`;
    await writeFile(join(bench.backend.folder, "other.mjs"), OTHER);
    const { job } = await bench.play(files);
    const log = textOf(job?.log);
    expect(log).toContain('other: one,two heard "agent: here\\n"false');
    expect(log).toContain('other:  heard ""false');
    expect(log).toContain('docker: exec: "nobody": executable file not found in $PATH\ncode 127');
  });

  test("passes the exit code through, and signals sent by docker kill and by the shell", async () => {
    const { job } = await bench.play(
      await withAgent(`
code=0; docker run -e CODE=5 -v "$PWD:/w" image || code=$?; echo "code $code"
for way in "docker kill --signal TERM box" 'kill -TERM $shim'; do
  rm -f made.txt
  docker run --name box -e MODE=wait -v "$PWD:/w" image & shim=$!
  until [ -s made.txt ]; do sleep 0.1; done
  eval "$way"; code=0; wait $shim || code=$?; echo "stopped $code"
done`),
    );
    const log = textOf(job?.log).split("##[endgroup]").at(-1);
    expect(log).toContain("code 5");
    expect(log?.match(/agent: asked to stop/g)).toHaveLength(2);
    expect(log?.match(/stopped 7/g)).toHaveLength(2);
  });

  test("keeps the books of networks as docker does, and starts other programs of the image", async () => {
    const { job } = await bench.play(
      await withAgent(`
docker network create --internal --opt a.b=c fence
docker network create fence || echo "again $?"
docker run --name box --entrypoint second -e MODE=wait -v "$PWD:/w" --network bridge image & shim=$!
until [ -s made.txt ]; do sleep 0.1; done
grep -o '"args":[^]]*' made.txt
docker network connect fence box
where='{{(index .NetworkSettings.Networks "fence").IPAddress}}'
echo "address $(docker inspect --format "$where" box)"
docker network rm fence || echo "in use $?"
rm made.txt; docker run --rm --network fence --dns 127.0.0.1 -v "$PWD:/w" image; cat made.txt | head -c 20; echo
docker rm -f box; wait $shim || true
docker network rm fence && echo gone
docker run --network fence image || echo "no more $?"`),
    );
    const log = textOf(job?.log).split("##[endgroup]").at(-1);
    for (const said of [
      '"args":["--second"',
      "again 1",
      "address 127.0.0.1",
      "in use 1",
      '{"env":',
      "fence\ngone",
      "no more 125",
    ])
      expect(log).toContain(said);
  });

  test("gives two jobs that name the same port a port each, which both of a job's containers know", async () => {
    const servers = `
import { createServer } from "node:http";
const { GATEWAY_PORT, MODEL_GATEWAY, EGRESS_PROXY, ANTHROPIC_BASE_URL, WHO } = process.env;
if (GATEWAY_PORT) createServer((_, answer) => answer.end("gateway of " + WHO)).listen(GATEWAY_PORT, "127.0.0.1");
else {
  const ask = () => fetch(MODEL_GATEWAY).then((answer) => answer.text(), () => new Promise((go) => setTimeout(go, 50)).then(ask));
  console.log("asked", await ask(), MODEL_GATEWAY === EGRESS_PROXY, ANTHROPIC_BASE_URL, MODEL_GATEWAY.startsWith("http://127.0.0.1:"));
}`;
    const files = await withAgent(`
for who in one two; do
  docker network create --label a=b net-$who
  docker run --rm --name agent-$who --network net-$who -e MODEL_GATEWAY=http://gateway:8080 -e EGRESS_PROXY=http://gateway:8080 \\
    -e ANTHROPIC_BASE_URL=http://localhost:8080 --entrypoint other image & agents="$agents $!"
done
docker network create out
docker run --rm --name gateway-one --entrypoint other --network net-one --network-alias gateway -e GATEWAY_PORT=8080 -e WHO=one image &
docker run --rm --name gateway-two --entrypoint other --network name=net-two,alias=gateway --network out -e GATEWAY_PORT=8080 -e WHO=two image &
wait $agents
docker rm -f gateway-one gateway-two nobody; wait
docker network rm net-one net-two nowhere || echo "removed two and $?"
docker network rm net-one || echo "gone $?"`);
    await writeFile(join(bench.backend.folder, "other.mjs"), servers);
    const { job } = await bench.play(files);
    const log = textOf(job?.log);
    for (const who of ["one", "two"]) expect(log).toContain(`asked gateway of ${who} true http://localhost:8080 true`);
    expect(log).toContain("network nowhere not found\nremoved two and 1\n");
    expect(log).toContain("network net-one not found\ngone 1\n");
  });

  test("says of an internal network that it has no address of this machine, and of another that it has", async () => {
    const { job } = await bench.play(
      await withAgent(`
docker network create --internal --opt x=isolated closed && docker network create open
docker network inspect --format '{{json .IPAM.Config}}' closed
docker network inspect --format '{{json .IPAM.Config}}' open
docker network inspect open || echo "refused $?"
docker run --network ip=1.2.3.4,name=open image || echo "refused $?"`),
    );
    const log = textOf(job?.log);
    expect(log).toContain('[{"Subnet":"10.0.0.0/24"}]\n[{"Subnet":"10.0.0.0/24","Gateway":"10.0.0.1"}]\n');
    // what a step says on its two outputs comes in no order
    for (const line of [
      "plays docker network inspect for {{json .IPAM.Config}} alone\n",
      "does not play ip of --network\n",
      "refused 1\n",
      "refused 125\n",
    ])
      expect(log).toContain(line);
  });

  test("what a killed step has left running is ended with the job, which says so", async () => {
    await bench.close();
    bench = await RunnerBench.open({ grace: { interruptMs: 100, terminateMs: 100 } });
    bench.backend.push(
      bench.backend.commit(
        await withAgent('docker run --name box -e MODE=wait -v "$PWD:/w" image & trap "" INT TERM; wait; wait'),
      ),
    );
    await bench.backend.until(() => textOf(bench.backend.jobs.at(-1)?.log).includes("\nagent: here\n"));
    bench.backend.cancel(bench.backend.runs.at(-1)?.id ?? 0);
    await bench.runner.idle();
    expect(textOf(bench.backend.jobs.at(-1)?.log)).toContain("has left containers or networks behind: box");
  });

  test("a cancelled run lets the agent end politely, once, where its step passes the signal on", async () => {
    bench.backend.push(bench.backend.commit(await withAgent('exec docker run -e MODE=wait -v "$PWD:/w" image')));
    await bench.backend.until(() => textOf(bench.backend.jobs.at(-1)?.log).includes("\nagent: here\n"));
    bench.backend.cancel(bench.backend.runs.at(-1)?.id ?? 0);
    await bench.runner.idle();
    expect(bench.backend.runs.at(-1)?.conclusion).toBe("cancelled");
    expect(textOf(bench.backend.jobs.at(-1)?.log).match(/agent: asked to stop/g)).toHaveLength(1);
  });

  test("refuses what would reach the machine or what it does not play, and says so", async () => {
    const refused = [
      ["docker run --privileged image", "the sandbox does not play --privileged"],
      ["docker run -v /var/run/docker.sock:/var/run/docker.sock image", "docker socket"],
      ["docker run -v cache:/cache image", "named volumes"],
      ["docker build .", "the sandbox does not play docker build"],
      ["docker kill nobody", "No such container: nobody"],
      ["docker run --network nowhere image", "network nowhere not found"],
      ["docker run --entrypoint third image", 'exec: "third": executable file not found'],
      ["docker network rm nowhere", "network nowhere not found"],
      ["docker network connect bridge nobody", "No such container: nobody"],
      ["docker network prune all", "the sandbox does not play docker network prune"],
      ["docker inspect --format '{{.State}}' nobody", "plays docker inspect for a container's address"],
      ["sudo -n true", "the sandbox does not play sudo"],
    ] as const;
    const script = refused.map(([command], index) => `${command} || echo "refused ${index}"`).join("\n");
    const { job } = await bench.play(await withAgent(script));
    const log = textOf(job?.log).split("##[endgroup]").at(-1);
    for (const [index, [, sentence]] of refused.entries()) {
      expect(log).toContain(sentence);
      expect(log).toContain(`refused ${index}`);
    }
  });
});
