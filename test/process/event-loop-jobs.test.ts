/** No job holds the event loop for longer than 50 ms, whatever its orders, its work, its run and its settings are. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { until } from "../flows/harness.ts";
import { DEMO, DEMO_SETTINGS, WRITER } from "../sandbox/environment.ts";
import { type Act, ADMIN, type Stand, startStand } from "./event-loop-harness.ts";
import { filling, PIECES, SLOW_GLOBS, SLOW_TRIGGERS, WORST_SETTINGS } from "./event-loop-inputs.ts";

const MB = 1024 * 1024;

let stand: Stand;
beforeAll(async () => {
  stand = await startStand();
});
afterAll(() => stand.close());

describe("a job", () => {
  /** `POST` that must be answered with this status, by whom it concerns. */
  const told = async (key: string | undefined, path: string, status: number, body: unknown = {}) => {
    const { text, ...answer } = await stand.ask("POST", path, body, { "x-api-key": key ?? "" });
    expect(`${answer.status} ${text}`).toMatch(new RegExp(`^${status} `));
    return z.looseObject({}).parse(JSON.parse(text));
  };

  /** Resolves when the App has received them. */
  const settings = async (text: string, path = ".github/journeyman.yml"): Promise<void> => {
    const after = stand.sandbox.github.pushCommit(DEMO, "main", { [path]: text }, WRITER);
    const pushed = z.object({
      event: z.literal("push"),
      statusCode: z.literal(200),
      payload: z.object({ after: z.literal(after) }),
    });
    await until("the push to be received", () =>
      stand.sandbox.github.deliveries().some((one) => pushed.safeParse(one).success),
    );
  };

  it("does not hold it with what its run tells and leaves, the worst of all", async () => {
    await settings(SLOW_GLOBS);
    const made = await stand.ask("POST", "/api/create-job", { job: "work" });
    expect(made).toMatchObject({ status: 200 });
    const { job_id } = z.object({ job_id: z.string() }).parse(JSON.parse(made.text));
    const token = join(stand.folder, `token-${job_id}`);
    await until("the run", () => existsSync(token));
    const bearer = { authorization: `Bearer ${readFileSync(token, "utf8")}` };
    const tell = async (what: string, body: unknown) => {
      const answer = await stand.ask("POST", `/api/runs/${job_id}/${what}`, body, bearer);
      if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
    };
    const line = (seq: number, words: string) => ({ seq, at: "2030-01-31T12:00:00Z", level: "info", text: words });
    await until("the run to be known", () =>
      tell("log", { lines: [line(1, "I begin.")] }).then(
        () => true,
        () => false,
      ),
    );
    const lines = PIECES.map((words, at) => ({
      name: `lines of ${words}`,
      act: () =>
        tell("log", {
          lines: Array.from({ length: 200 }, (_, nth) => line(at * 200 + nth + 2, filling(3_900, words))),
        }),
    }));
    expect(await stand.tooLong(lines)).toEqual([]);

    const results = ["-ghp_", "](<", "fixes ", "&#38;"].map((words) => {
      const said = { title: filling(9_000, words), body: filling(MB, words), model: "m" };
      const log = Array.from({ length: 2_000 }, (_, nth) => line(nth + 1, filling(3_000, words)));
      const result = { version: 1, outcome: "done", ...said };
      const act = () => tell("result", { result, log, changed_files: Array(3_000).fill("a".repeat(200)) });
      return { name: `result of ${words}`, act };
    });
    expect(await stand.tooLongOnce(results)).toEqual([]);

    await stand.seen();
    writeFileSync(join(stand.folder, "go"), "");
    await until("the verdict", async () => {
      const status = await stand.ask("GET", `/api/jobs/status?job_id=${job_id}`);
      return /"status":"(?!queued|running|pending)/.test(status.text);
    });
    await stand.sandbox.idle();
    // the settings were good, and their globs were held against what the run left
    expect((await stand.ask("GET", `/api/jobs/status?job_id=${job_id}`)).text).not.toContain("journeyman.yml");
    expect((await stand.seen()).longest_ms).toBeLessThan(stand.most_ms);
  });

  it("does not hold it when its repository's settings are the worst that a file can be", async () => {
    // what a run leaves has been looked at: these wait for a word that does not come, and are cancelled
    rmSync(join(stand.folder, "go"));
    const acts = WORST_SETTINGS.map((text, at) => ({
      name: text.slice(0, 30),
      act: async () => {
        await settings(text);
        const key = stand.keys[at % stand.keys.length] ?? "";
        const made = await stand.ask("POST", "/api/create-job", { job: "x" }, { "x-api-key": key });
        expect(made.status).not.toBe(500);
        const { job_id } = z.object({ job_id: z.string().optional() }).parse(JSON.parse(made.text));
        if (job_id !== undefined) await told(key, `/api/jobs/${job_id}/cancel`, 200);
      },
    }));
    expect(await stand.tooLongOnce(acts)).toEqual([]);
    await settings(DEMO_SETTINGS);
  });

  it("of a trigger does not hold it with the labels that all triggers' globs are held against", async () => {
    await settings(SLOW_TRIGGERS, "config/TRIGGERS.json");
    await until("the triggers to be read", async () => {
      const { text } = await stand.ask("GET", `/api/triggers/${DEMO}`);
      return z.object({ triggers: z.array(z.unknown()) }).parse(JSON.parse(text)).triggers.length === 1;
    });
    const labels = Array.from({ length: 20 }, (_, at) => ({ name: `${"a".repeat(48)}${at}` }));
    const user = { id: 77, login: "zoe", type: "User" };
    const opened = () =>
      stand.deliver("issues", {
        ...{ ...stand.source, action: "opened", sender: user },
        issue: { number: 99, title: "x", body: "x", user, labels },
      });
    expect(await stand.tooLong([{ name: "an issue with labels", act: opened }])).toEqual([]);
  });

  it("of the market does not hold it with orders and work as large as they may be", async () => {
    const [sender, ...workers] = stand.keys;
    await told(ADMIN, "/api/wallet/credit", 201, { account: "user-0", amount_cents: 100_000 });
    const content = Buffer.alloc(500 * 1024, 0xff).toString("base64");
    const order = (text: string) => ({
      ...{ prompt: `Do ${filling(59_990, text)}`, price_cents: 500, time_limit_seconds: 3_600, confirmed: true },
      attachments: [{ name: "notes.bin", type: "text/plain", content }],
      envVars: Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`NAME_${at}`, filling(1_000, text)])),
    });
    const work = (text: string) => ({
      output_text: filling(45_000, text),
      files: [
        ...Array.from({ length: 150 }, (_, at) => ({ path: `${"a".repeat(110)}${at}`, content: filling(1_000, text) })),
        { path: "large.bin", content, encoding: "base64" },
      ],
    });
    let id = "";
    const acts = ["](<", "`", "<!--", "👩‍"].flatMap((text, at): Act[] => [
      {
        name: `order of ${text}`,
        act: async () => {
          id = String((await told(sender, "/api/jobs/run", 201, order(text))).id);
        },
      },
      { name: "pull", act: () => told(workers[at], "/api/jobs/pull", 200) },
      { name: `accept of ${text}`, act: () => told(workers[at], `/api/jobs/${id}/accept`, 200) },
      { name: `read of ${text}`, act: () => stand.ask("GET", `/api/jobs/${id}`, undefined, { "x-api-key": ADMIN }) },
      { name: `submit of ${text}`, act: () => told(workers[at], `/api/jobs/${id}/submit`, 200, work(text)) },
    ]);
    expect(await stand.tooLongOnce(acts)).toEqual([]);
  });
});
