/** The audit log of what people do on GitHub and in their browsers. */
import { expect, test } from "vitest";
import * as z from "zod";
import { DEMO, READER, WRITER } from "../sandbox/environment.ts";
import { openBrowser } from "./browser.ts";
import { type Harness, startHarness, until, untilJob } from "./harness.ts";
import { signIn } from "./sign-in-steps.ts";

const entries = z.array(
  z.object({
    account: z.string().nullable(),
    login: z.string().nullable(),
    key_id: z.string().nullable(),
    address: z.string().nullable(),
    request_id: z.string().nullable(),
    action: z.string(),
    target: z.object({ type: z.string(), id: z.string() }).nullable(),
    repository: z.string().nullable(),
    outcome: z.string(),
  }),
);

const audit = async (harness: Harness, query = "") =>
  entries.parse(await (await harness.request(`/api/audit?${query}`)).json());

test("a job that is asked for, cancelled and cancelled again by comments leaves three entries, and reports none", async () => {
  const harness = await startHarness({ actions: false });
  const issue = harness.ask("/job create HELLO.md that says hello");
  const job = await harness.jobOf(issue);
  await untilJob(harness, job.id, "pushed", ({ head_sha }) => head_sha !== null);
  harness.github.comment(DEMO, issue, { body: "/job cancel", by: READER });
  harness.github.comment(DEMO, issue, { body: "/job cancel", by: WRITER });
  await untilJob(harness, job.id, "cancelled", ({ status }) => status === "cancelled");
  harness.github.comment(DEMO, issue, { body: "/job retry", by: WRITER });
  const seen = await until("three entries", async () => {
    const all = await audit(harness, `job_id=${job.id}`);
    return all.length >= 3 ? all : null;
  });
  const deliveries = harness.github.deliveries().map(({ guid }) => guid);
  const who = { account: WRITER, login: WRITER, key_id: null, address: null, repository: DEMO };
  const target = { type: "job", id: job.id };
  expect(seen.map(({ request_id, ...rest }) => rest)).toEqual([
    { ...who, target, action: "retry", outcome: "wrong_status" },
    { ...who, target, action: "cancel", outcome: "done" },
    { ...who, target, action: "create", outcome: "done" },
  ]);
  for (const { request_id } of seen) expect(deliveries).toContain(request_id);
});

test("a key that is signed in for, and one that is refused, are written down with who it was", async () => {
  const harness = await startHarness({ actions: false });
  const browser = openBrowser();
  await signIn(harness, WRITER, undefined, browser);
  await signIn(harness, READER);
  const [newKey] = await harness.app.store.keys.list();
  const common = { key_id: null, address: "127.0.0.1", action: "key-created", repository: DEMO };
  const tied = { action: "account-tied", target: { type: "account", id: WRITER } };
  expect(await audit(harness)).toMatchObject([
    { ...common, account: READER, login: READER, target: null, outcome: "forbidden" },
    { ...common, account: WRITER, login: WRITER, target: { type: "key", id: newKey?.id }, outcome: "done" },
    { ...tied, account: WRITER, login: WRITER, outcome: "done" },
  ]);
});
