/** The provider's key stays in the gateway: a job's code cannot read it, and it does not leave. */

import { readdirSync, readFileSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Names } from "../../agent/action/container-names.ts";
import { type Model, startModel } from "../sandbox/model/server.ts";
import { describeContainers, docker, hostAddress, type Opened, openToContainers, until } from "./containers.ts";
import { type FinishedJob, runJob } from "./job.ts";
import { idOf, scriptOf } from "./network-fence-escapes.ts";
import { PREY, THEFTS, THIEVES_TOOLS } from "./provider-key-escapes.ts";

const KEY = `${PREY}key-5d0c41e7a9b3`;
/** Meant for the model's shell, and not for what leaves. */
const SHELL_SECRET = `${PREY}shell-7e2f90b1c4d6`;

const reversed = (text: string): string => [...text].reverse().join("");

/** The key in this text: as it is, turned around, in base64 at any place, in hexadecimal, and split by whatever is no part of it. */
function tracesOfKey(text: string): string[] {
  const joined = text.replace(/[^A-Za-z0-9+/=_-]/g, "");
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.from("x".repeat(shift) + KEY)
      .toString("base64")
      .slice(4, -4),
  );
  const forms = [KEY, reversed(KEY), Buffer.from(KEY).toString("hex"), ...base64, ...base64.map(reversed)];
  return forms.filter((form) => joined.includes(form));
}

const allFiles = (folder: string): string =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => `${one.name}\n${readFileSync(join(one.parentPath, one.name), "latin1")}`)
    .join("\n");

interface Asked {
  readonly path: string;
  readonly key: unknown;
}

/** The model's calls go to the model; any other gets back what was sent, the key with it. */
async function startProvider(model: Model, asked: Asked[]): Promise<Server> {
  const server = createServer(async (call, answer) => {
    asked.push({ path: call.url ?? "", key: call.headers["x-api-key"] });
    const body = await text(call);
    if (call.method !== "POST" || !call.url?.startsWith("/v1/messages")) {
      answer.end(JSON.stringify({ sent: call.rawHeaders, body }));
      return;
    }
    const passed = request(`${model.url}${call.url}`, { method: "POST", headers: call.headers }, (said) => {
      answer.writeHead(said.statusCode ?? 502, said.headers);
      said.pipe(answer);
    });
    passed.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

const addressOf = (server: Server): string => `127.0.0.1:${(server.address() as AddressInfo).port}`;

describeContainers("the provider's key", () => {
  const asked: Asked[] = [];
  let thiefHeard = "";
  let model: Model;
  let provider: Server;
  let thief: Server;
  let open: Opened;
  let job: FinishedJob;
  /** What this machine could see while the job ran. */
  let seen: { readonly commands: string; readonly agent: string; readonly gateway: string };

  const run = (
    task: string,
    files: Record<string, string>,
    prepared?: (names: Names) => Promise<() => Promise<void>>,
  ) =>
    runJob({
      ...{ task, files, egress: null, provider: { url: open.url, key: KEY } },
      env: { AGENT_LLM_PREY: SHELL_SECRET },
      ...(prepared === undefined ? {} : { prepared }),
    });

  /** Looks at the containers from outside while the job waits for that. */
  async function lookOn(names: Names): Promise<() => Promise<void>> {
    const inside = (...command: string[]) => execa("docker", ["exec", names.agent, ...command], { reject: false });
    const looking = (async () => {
      await until(
        "the job waits to be looked at",
        async () => (await inside("test", "-e", "/workspace/waiting")).exitCode === 0,
      );
      seen = {
        commands: (await execa("ps", ["-eo", "args"])).stdout,
        agent: await docker("inspect", names.agent),
        gateway: await docker("inspect", "--format", "{{.Config.Entrypoint}} {{.Config.Cmd}} {{.Args}}", names.gateway),
      };
      await inside("touch", "/workspace/looked");
    })();
    return () => looking;
  }

  beforeAll(async () => {
    model = await startModel();
    provider = await startProvider(model, asked);
    open = await openToContainers(`http://${addressOf(provider)}`);
    thief = createServer(async (call, answer) => {
      thiefHeard += `${call.url} ${call.rawHeaders.join(" ")} ${await text(call)}\n`;
      answer.end("thank you");
    });
    await new Promise<void>((resolve) => thief.listen(0, "0.0.0.0", resolve));
    const places = [
      `export THIEF=${await hostAddress()}:${addressOf(thief).split(":")[1]}`,
      `export PROVIDER=${new URL(open.url).host}`,
    ].join("\n");
    const wait = "touch waiting; until [ -e looked ]; do sleep 0.1; done";
    const files = {
      "tools.sh": THIEVES_TOOLS,
      "places.sh": places,
      "thefts.sh": `${wait}\n${scriptOf(THEFTS, "one by one")}`,
    };
    job = await run("run bash thefts.sh", files, lookOn);
  });
  afterAll(async () => {
    job?.checkout.remove();
    open.close();
    for (const server of [provider, thief]) {
      server.close();
      server.closeAllConnections();
    }
    await model.close();
  });

  const said = (index: number): string => {
    const text = job.checkout.file(`out/${idOf(index)}`);
    expect(text).toMatch(/^ended with \d+$/m);
    return text;
  };
  const rows = THEFTS.map(({ name, finds = false }, index) => ({ name, finds, index }));

  test("reaches the provider, and the job is done", () => {
    expect(job, job.output).toMatchObject({ code: 0, failure: null });
    expect(job.checkout.result().outcome).toBe("done");
    expect(asked.filter(({ path }) => path === "/v1/messages").map(({ key }) => key)).toContain(KEY);
  });

  test.each(rows)("is not to be had by $name", ({ index }) => {
    const found = said(index);
    expect(tracesOfKey(found)).toEqual([]);
    // No secret either, but the way to one.
    expect(found).not.toMatch(/^(?:got-\w+|\d+ traced)$/m);
  });

  test.each(rows.filter(({ finds }) => finds))("would have been found by $name", ({ index }) => {
    expect(said(index)).toContain(reversed(SHELL_SECRET));
  });

  test.each(["the agent's memory", "a tracer on the agent", "another process's memory by process_vm_readv"])(
    "is looked for by %s, which the kernel refuses",
    (name) => {
      expect(said(rows.findIndex((row) => row.name === name))).toMatch(/Permission denied|Operation not permitted/);
    },
  );

  test("is in nothing that the job leaves, and the shell's own secret is in no log", () => {
    expect(tracesOfKey(allFiles(job.checkout.folder))).toEqual([]);
    expect(tracesOfKey(job.output)).toEqual([]);
    expect(job.output).not.toContain(SHELL_SECRET);
  });

  test("is sent to the provider alone, and with the model's calls alone", () => {
    expect(thiefHeard).not.toContain(KEY);
    const withKey = asked.filter(({ key }) => key === KEY).map(({ path }) => path);
    expect(
      withKey.filter((path) => !/^\/v1\/(?:messages|messages\/count_tokens|models(?:\?[\w=&.%-]*)?)$/.test(path)),
    ).toEqual([]);
  });

  test("is on no command line of this machine, nor in anything that docker tells of the agent", () => {
    expect(seen.commands).toContain("docker run");
    expect(tracesOfKey(seen.commands)).toEqual([]);
    expect(tracesOfKey(seen.agent)).toEqual([]);
    expect(tracesOfKey(seen.gateway)).toEqual([]);
  });

  test.each(["SEGV", "ABRT", "QUIT", "USR2", "TRAP"])(
    "is in nothing that an agent leaves which died of SIG%s",
    async (signal) => {
      const kill = `ulimit -c unlimited\n${THIEVES_TOOLS}\nkill -${signal} $(agents)\nsleep 30\n`;
      const died = await run("run bash kill.sh", { "kill.sh": kill });
      const left = allFiles(died.checkout.folder);
      died.checkout.remove();
      expect(died.code).not.toBe(0);
      expect(tracesOfKey(left)).toEqual([]);
      expect(left).not.toContain("\x7fELF");
      expect(tracesOfKey(died.output)).toEqual([]);
    },
  );
});
