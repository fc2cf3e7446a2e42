/**
 * A client that nobody wrote: generated from the served description, compiled with a program that uses it, and set to
 * work on the App in a test environment. What the description says of types is what a compiler then believes.
 */
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { generateApi } from "swagger-typescript-api";
import { expect, it, onTestFinished } from "vitest";
import * as z from "zod";
import { readDescription } from "../contract/description.ts";
import { API_KEY, startHarness, until } from "../flows/harness.ts";
import { DEMO } from "../sandbox/environment.ts";
import { pathOf } from "./read-markdown.ts";

/** As its users would write it. */
const PROGRAM = `
import { Api } from "./client.js";

const pause = () => new Promise((resolve) => setTimeout(resolve, 50));

const connect = (baseUrl: string, key: string) =>
  new Api<string>({ baseUrl, securityWorker: (key) => ({ headers: { authorization: \`Bearer \${key}\` } }) , baseApiParams: { secure: true } });

export async function run(baseUrl: string, key: string, repository: string) {
  const client = connect(baseUrl, key);
  client.setSecurityData(key);
  const { data: created } = await client.api.createJob({ job: "create TYPED.md that says hello", repository });
  let status = (await client.api.getJobStatus({ job_id: created.job_id })).data;
  while (status.status === "pending" || status.status === "running") {
    await pause();
    status = (await client.api.getJobStatus({ job_id: created.job_id })).data;
  }

  const project = encodeURIComponent(repository);
  const { data: job } = await client.v2.createAgentJob(project, { prompt: "create MESSAGE.md that says hello" });
  const { data: told } = await client.v2.messageAgentJob(project, job.id, { prompt: "append bye to MESSAGE.md" });
  const settled = async () => {
    let now = (await client.v2.getAgentJob(project, job.id)).data;
    while (now.status === "active") {
      await pause();
      now = (await client.v2.getAgentJob(project, job.id)).data;
    }
    return now;
  };
  const first = await settled();
  const page = (await client.v2.listAgentJobs(project, { limit: 1 })).data;
  const wrong = await client.api
    // @ts-expect-error the field is called job
    .createJob({ task: "say hello" })
    .catch((answer: { status: number }) => answer.status);
  // @ts-expect-error no job has this status
  const impossible = first.status === "merged";
  return { created, status, job, told, first, page, wrong, impossible };
}
`;

const TSCONFIG = {
  compilerOptions: {
    ...{ target: "es2022", module: "nodenext", strict: true, skipLibCheck: true, outDir: "out", rootDir: "." },
    ...{ lib: ["es2022", "dom"], types: [] },
  },
  files: ["program.ts"],
};

/** Where git and the linter do not look, and yet not below node_modules, from where no compiler takes sources. */
async function folder(): Promise<string> {
  const parent = pathOf("dist/typed-clients");
  await mkdir(parent, { recursive: true });
  const dir = await mkdtemp(join(parent, "client-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

async function compile(dir: string, client: string): Promise<void> {
  await writeFile(join(dir, "client.ts"), client);
  await writeFile(join(dir, "program.ts"), PROGRAM);
  await writeFile(join(dir, "tsconfig.json"), JSON.stringify(TSCONFIG));
  await writeFile(join(dir, "package.json"), '{"type": "module"}');
  const tsc = [pathOf("node_modules/typescript/bin/tsc"), "-p", dir];
  const { status, stdout } = spawnSync(process.execPath, tsc, { encoding: "utf8" });
  expect([stdout, status]).toEqual(["", 0]);
}

const resultSchema = z.object({
  created: z.object({ job_id: z.string(), branch: z.string() }),
  status: z.object({ status: z.string(), pr_url: z.string().nullable(), changed_files: z.array(z.string()) }),
  job: z.object({ id: z.string(), status: z.string() }),
  first: z.object({ id: z.string(), status: z.string(), prLink: z.string().nullable() }),
  page: z.object({ jobs: z.array(z.object({ id: z.string() })), nextCursor: z.string().nullable() }),
  told: z.object({ id: z.string(), status: z.string() }),
  wrong: z.number(),
});

it("compiles, creates a job to its merge in one dialect, and creates, polls and messages in the other", async () => {
  const harness = await startHarness();
  const spec = await (await fetch(`${harness.app.url}/api/openapi.json`)).json();
  readDescription(spec);
  const { files } = await generateApi({
    spec,
    output: false,
    fileName: "client.ts",
    httpClientType: "fetch",
    silent: true,
  });
  const dir = await folder();
  await compile(dir, files[0]?.fileContent ?? "");
  const { run } = await import(pathToFileURL(join(dir, "out", "program.js")).href);
  const result = resultSchema.parse(await run(harness.app.url, API_KEY, DEMO));
  expect(result.status).toMatchObject({ status: "merged", changed_files: ["TYPED.md"] });
  expect(result.job.status).toBe("active");
  expect(result.first).toMatchObject({
    id: result.job.id,
    status: "completed",
    prLink: expect.stringContaining("/pull/"),
  });
  expect(result.page.jobs.map(({ id }) => id)).toEqual([result.job.id]);
  expect(result.page.nextCursor).not.toBeNull();
  expect(result.wrong).toBe(400);
  expect(result.told).toEqual({ id: result.job.id, status: "active" });
  await until("the message to be handled", () => harness.github.readFile(DEMO, "main", "MESSAGE.md")?.includes("bye"));
  await harness.sandbox.idle();
});
