/** Without a server, what time alone brings comes with the scheduled run. */
import { expect, it } from "vitest";
import * as z from "zod";
import { DEMO, WRITER } from "../sandbox/environment.ts";
import { type ActionHarness, SHELF, said, startActionHarness, states } from "./action-harness.ts";

const LONG_MS = 240_000;
const DAY_MS = 24 * 3_600_000;

const stateSchema = z.looseObject({
  job: z.looseObject({
    updated_at: z.number(),
    expiry: z.object({ at: z.number(), seen_at: z.number(), warned_at: z.number().nullable() }).nullable(),
  }),
});
type Expiry = NonNullable<z.infer<typeof stateSchema>["job"]["expiry"]>;

const stateOf = (here: ActionHarness, id: string) =>
  stateSchema.parse(JSON.parse(here.github.readFile(DEMO, `${SHELF}${id}`, "state.json") ?? "null"));

const made = z.object({ sha: z.string() });

/** As if the job had been left alone for so long. */
async function wait(here: ActionHarness, id: string, change: (expiry: Expiry) => Expiry): Promise<void> {
  const state = stateOf(here, id);
  if (state.job.expiry === null) throw new Error("it does not expire");
  const updated_at = state.job.updated_at - 40 * DAY_MS;
  const content = JSON.stringify({ ...state, job: { ...state.job, updated_at, expiry: change(state.job.expiry) } });
  const call = async (method: string, path: string, body: object) => {
    const answer = await fetch(`${here.github.apiUrl}/repos/${DEMO}/git/${path}`, {
      method,
      headers: { authorization: `token ${here.github.userToken(WRITER)}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  const tree = made.parse(
    await call("POST", "trees", { tree: [{ path: "state.json", mode: "100644", type: "blob", content }] }),
  );
  const commit = made.parse(await call("POST", "commits", { message: "Later", tree: tree.sha, parents: [] }));
  await call("PATCH", `refs/${SHELF.replace(/^refs\//, "")}${id}`, { sha: commit.sha, force: true });
}

it("warns of the end of a pull request that nobody touches, and closes it", { timeout: LONG_MS }, async () => {
  const here = await startActionHarness({ app: true, settings: "limits:\n  expires_days: 30\n" });
  const issue = here.ask("/job create HELLO.md that says hello");
  await here.until("the work to be done", () => said(here, issue, "journeyman[bot]").includes("**Done, not merged**"));
  const [id = ""] = states(here);
  const sweep = () => here.play("schedule", { schedule: "17 * * * *" });

  await wait(here, id, (expiry) => expiry);
  expect(await sweep()).toMatchObject({ code: 0 });
  expect(states(here), "it is kept until then").toEqual([id]);

  await wait(here, id, (expiry) => ({ ...expiry, at: expiry.at - 29 * DAY_MS, seen_at: expiry.seen_at - 29 * DAY_MS }));
  expect(await sweep()).toMatchObject({ code: 0 });
  expect(said(here, issue, "journeyman[bot]")).toContain("It waits for a person, and is closed on");
  expect(here.github.pulls(DEMO)[0]).toMatchObject({ state: "open" });

  await wait(here, id, (expiry) => ({ ...expiry, at: Date.now() - 1 }));
  expect(await sweep()).toMatchObject({ code: 0 });
  expect(here.github.pulls(DEMO)[0]).toMatchObject({ state: "closed", merged: false });
  expect(said(here, here.github.pulls(DEMO)[0]?.number ?? 0, "journeyman[bot]")).toContain("nobody touched it for");
});
