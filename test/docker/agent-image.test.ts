/** The agent's image: what it holds, and its programs on a real job, against a scripted model on this machine. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseResult } from "../../src/contracts/result.ts";
import { fencesOf, shellWords, textOf } from "../process/read-markdown.ts";
import { type Model, startModel } from "../sandbox/model/server.ts";
import { type Checkout, type Files, JOB_ID, makeCheckout } from "../unit/agent-job.ts";
import {
  describeContainers,
  docker,
  giveTo,
  imageOf,
  newName,
  type Opened,
  openToContainers,
  runContainer,
} from "./containers.ts";

const UID = 10_001;
const KEY = "image-model-key-0123456789";

/** Programs, and libraries that toolchains of GitHub's runners ask for. */
const PROGRAMS = ["bash", "git", "rg", "jq", "python3", "curl", "node", "npm", "npx"];
const LIBRARIES = [
  "libssl.so.3",
  "libcrypto.so.3",
  "libffi.so.8",
  "libsqlite3.so.0",
  "libreadline.so.8",
  "libyaml-0.so.2",
  "libgmp.so.10",
  "liblzma.so.5",
  "libbz2.so.1.0",
  "libncursesw.so.6",
  "libz.so.1",
];
/** Of the runner's image that the workflow names, Ubuntu 24.04: what was built there must start here. */
const RUNNER_C_LIBRARY = 2.39;

/** Takes more memory, then more processes, than the container may have, and notes how that ended. */
const GREEDY = `
python3 -c 'x = bytearray(2 << 30)'
echo $? > memory.txt
setsid python3 -c '
import os, time
try:
  while True:
    if os.fork() == 0: time.sleep(60)
except OSError as error:
  print(os.strerror(error.errno), file=open("processes.txt", "w"), flush=True)
os.killpg(0, 9)'
true
`;

/** Fills the disk that holds the checkout. */
const FILLING = `
head -c 64M /dev/zero > big 2> error.txt
ls -l big
`;

const reversed = (text: string): string => [...text].reverse().join("");

const ID_OF_PAGE = "JOB_ID=ab12cd34";

/** The command of docs/install.md for a job by hand, on a checkout of this test's own and with more flags. */
function commandOfPage(checkout: Checkout, flags: readonly string[]): string[] {
  const lines = fencesOf(textOf("docs/install.md")).map(
    ({ text }) => /^docker run --rm --user 10001[\s\S]*?agent:1$/m.exec(text)?.[0],
  );
  const words = shellWords(lines.find((line) => line !== undefined) ?? "", { PWD: checkout.folder });
  expect(words.slice(0, 3)).toEqual(["docker", "run", "--rm"]);
  expect(words).toContain(ID_OF_PAGE);
  const own = words.map((word) => (word === ID_OF_PAGE ? `JOB_ID=${JOB_ID}` : word));
  return [...own.slice(3, -1), ...flags, imageOf("agent")];
}

describeContainers("the agent's image", () => {
  let model: Model;
  let open: Opened;
  const inside = async (...command: string[]): Promise<string> => {
    const [entrypoint = "", ...args] = command;
    const { code, output } = await runContainer([
      "--network",
      "none",
      "--entrypoint",
      entrypoint,
      imageOf("agent"),
      ...args,
    ]);
    expect(code, output).toBe(0);
    return output;
  };
  /** A job as docs/install.md starts it. */
  const job = async (task: string, flags: readonly string[] = [], files: Files = {}) => {
    const checkout = makeCheckout({}, files, {}, task);
    await giveTo(checkout.folder, UID);
    const ended = await runContainer(commandOfPage(checkout, flags), {
      ANTHROPIC_API_KEY: KEY,
      ANTHROPIC_BASE_URL: open.url,
    });
    await giveTo(checkout.folder, process.getuid?.() ?? 0);
    return { checkout, ...ended };
  };

  beforeAll(async () => {
    model = await startModel();
    open = await openToContainers(model.url);
  });
  afterAll(async () => {
    open.close();
    await model.close();
  });

  test("it is labelled, is not root's, and holds nothing beside its bundles", async () => {
    const label = '{{.Config.User}} {{index .Config.Labels "org.opencontainers.image.licenses"}}';
    expect(await docker("image", "inspect", "--format", label, imageOf("agent"))).toBe("agent MIT");
    expect(await inside("id", "-u")).toBe(String(UID));
    expect((await inside("ls", "/opt/journeyman")).split("\n")).toEqual([
      ...["LICENSE", "bin", "dist", "init", "lib", "node", "package.json", "programs"],
    ]);
  });

  test("it holds what a model reaches for, and the libraries that a runner's toolchains ask for", async () => {
    for (const program of PROGRAMS) await inside(program, "--version");
    const known = await inside("/sbin/ldconfig", "-p");
    for (const library of LIBRARIES) expect(known).toContain(`\t${library} `);
    const [, version] = /^ldd .* (\d+\.\d+)$/m.exec(await inside("ldd", "--version")) ?? [];
    expect(Number(version)).toBeGreaterThanOrEqual(RUNNER_C_LIBRARY);
  });

  test("its programs may not become anybody else: no file in it is set-uid or set-gid", async () => {
    const root = ["--user", "0", "--network", "none", "--entrypoint", "find", imageOf("agent")];
    expect(await runContainer([...root, "/", "-xdev", "-type", "f", "-perm", "/6000"])).toEqual({
      code: 0,
      output: "",
    });
  });

  test("it works on a job of a mounted checkout as the command of docs/install.md starts it", async () => {
    const { checkout, code, output } = await job("create HELLO.md that says hello");
    expect(code, output).toBe(0);
    expect(checkout.file("HELLO.md").trim()).toBe("hello");
    expect(checkout.result().outcome).toBe("done");
    checkout.remove();
  });

  test("a workflow that gives the key to the agent loses it to no shell, which is the same user", async () => {
    const theft = [
      "{ cat /proc/$PPID/environ /proc/[0-9]*/environ; grep -a image-model /proc/$PPID/mem; env; } 2> refused.txt",
      "| tr '\\0' '\\n' | rev > stolen.txt",
      "; kill -USR1 $PPID 2>/dev/null; curl -s -m 2 http://127.0.0.1:9229/json > debugger.txt; ls -l /proc/$PPID/exe > /dev/null 2>> refused.txt; true",
    ].join(" ");
    const { checkout, code, output } = await job(`run ${theft}`);
    expect(code, output).toBe(0);
    const stolen = checkout.file("stolen.txt");
    expect(stolen).toContain(reversed("PATH="));
    expect(stolen).not.toContain(reversed(KEY));
    expect(output).not.toContain(KEY);
    expect(checkout.file("debugger.txt")).toBe("");
    for (const place of ["environ", "mem", "exe"])
      expect(checkout.file("refused.txt")).toMatch(new RegExp(`/proc/\\d+/${place}\\b.*Permission denied`));
    checkout.remove();
  });

  test("a shell that takes too much memory or too many processes is stopped, and its agent is not", async () => {
    const { checkout, code, output } = await job("run bash greedy.sh", ["--memory", "512m", "--pids-limit", "64"], {
      "greedy.sh": GREEDY,
    });
    expect(code, output).toBe(0);
    expect(checkout.file("memory.txt").trim()).toBe("137");
    expect(checkout.file("processes.txt").trim()).toBe("Resource temporarily unavailable");
    expect(checkout.result().outcome).toBe("done");
    checkout.remove();
  });

  test("a shell that fills its disk leaves a result that says so, and what was there before", async () => {
    const checkout = makeCheckout({}, { "fill.sh": FILLING }, {}, "run bash fill.sh");
    await giveTo(checkout.folder, UID);
    const [volume, holder] = [newName(), newName()];
    const size = ["--opt", "type=tmpfs", "--opt", "device=tmpfs", "--opt", `o=size=16m,uid=${UID},gid=${UID}`];
    try {
      await docker("volume", "create", ...size, volume);
      const mounts = ["--volume", `${volume}:/workspace`, "--volume", `${checkout.folder}:/from:ro`];
      await docker("run", "--detach", "--name", holder, ...mounts, "--entrypoint", "sleep", imageOf("agent"), "600");
      await docker("exec", holder, "cp", "-R", "/from/.", "/workspace");
      const access = { ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: open.url };
      const ended = await runContainer(commandOfPage({ ...checkout, folder: volume }, []), access);
      expect(ended).toEqual({ code: 1, output: expect.stringContaining("The runner's disk was full") });
      const result = await docker("exec", holder, "cat", `/workspace/.jobs/${JOB_ID}/result.json`);
      expect(parseResult(result)).toMatchObject({
        outcome: "failed",
        reason: expect.stringContaining("disk was full"),
      });
      expect(await docker("exec", holder, "cat", "/workspace/README.md")).toBe("# Shop");
    } finally {
      await docker("rm", "--force", holder);
      await docker("volume", "rm", "--force", volume);
      await giveTo(checkout.folder, process.getuid?.() ?? 0);
      checkout.remove();
    }
  });

  test.each(["courier", "egress"])(
    "%s, which older copies of run-job.yml start, says what it lacks",
    async (entrypoint) => {
      const env = { EGRESS_ALLOWED: "10.0.0.1" };
      const { code, output } = await runContainer(["--entrypoint", entrypoint, imageOf("agent"), "hand-in"], env);
      if (entrypoint === "courier") expect(output).toMatch(/^no .*APP_URL is not set/);
      else expect({ code, output }).toMatchObject({ code: 2, output: expect.stringContaining("cannot start") });
    },
  );
});
