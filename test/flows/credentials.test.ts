/**
 * GitHub's view of the App's credentials: a skewed clock is corrected, a wrong key is reported, and neither by mistake.
 */
import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { RECHECK_MS } from "../../src/github/client/app-credentials.ts";
import { startHarness, until, untilJob } from "./harness.ts";

const ready = async (harness: Awaited<ReturnType<typeof startHarness>>) => {
  const answer = await harness.request("/ready");
  return { status: answer.status, ...((await answer.json()) as { ready: boolean; reason?: string }) };
};
const WELL = { status: 200, ready: true };

describe("a clock that is not GitHub's", () => {
  it.each([
    ["3 minutes ahead", -180_000],
    ["2 hours behind", 7_200_000],
  ])("keeps no job from its merge when it is %s", async (_what, shift) => {
    const harness = await startHarness({ github: { now: () => Date.now() + shift } });
    const { id } = await harness.jobOf(harness.ask("/job create HELLO.md that says hello"));
    const job = await untilJob(harness, id, "merged", (one) => one.merged_at !== null);
    expect(job.attempt).toBe(1);
    expect(await ready(harness)).toEqual(WELL);
  });

  it("is allowed for when it goes wrong and when it is set right, while the server runs", async () => {
    let shift = 0;
    const harness = await startHarness({ github: { now: () => Date.now() + shift } });
    await until("the first answer", async () => (await ready(harness)).ready);
    for (const next of [-600_000, 0, 600_000]) {
      shift = next;
      const asked = () => harness.github.calls().filter((call) => call.path === "/app").length;
      const before = asked();
      harness.pass(RECHECK_MS);
      await until("GitHub to be asked again", () => asked() > before);
      await until("the answer", async () => (await ready(harness)).ready);
      expect(await ready(harness)).toEqual(WELL);
    }
  });
});

it("is not ready with a key that GitHub does not know, and says which settings to compare", async () => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const foreignKey = privateKey.export({ type: "pkcs1", format: "pem" }).toString();
  const harness = await startHarness({}, { PRIVATE_KEY: foreignKey });
  const { reason, ...rest } = await until("the refusal", async () => {
    const now = await ready(harness);
    return now.reason?.includes("PRIVATE_KEY") ? now : null;
  });
  expect(rest).toEqual({ status: 503, ready: false });
  expect(reason).not.toMatch(/clock|reached/);
  expect((await harness.request("/health")).status).toBe(200);
});
