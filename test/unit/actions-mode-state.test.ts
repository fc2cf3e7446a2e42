/** A job between two processes of Actions mode: what is saved, what is not trusted, and what people are told. */

import { describe, expect, it } from "vitest";
import { createEventIds, idOfEvent } from "../../src/actions-mode/ids.ts";
import { plainTokenRemark, withRemarks } from "../../src/actions-mode/remarks.ts";
import { readActionSettings } from "../../src/actions-mode/settings.ts";
import { MAX_STATE_BYTES, read, write } from "../../src/actions-mode/state.ts";
import { decide } from "../../src/domain/job/decide.ts";
import type { Job } from "../../src/domain/job/job.ts";
import { NEW_ACTIONS_WORK, NEW_MARKET_WORK } from "../../src/domain/job/schema.ts";
import type { StoredJob } from "../../src/engine/ports/jobs.ts";
import { draft, ID, jobId, run, T0, work } from "./job-fixtures.ts";

const HERE = { owner: "octo", name: "demo", installation_id: 0 };

function stored(change: Partial<Job> = {}): StoredJob {
  const decision = decide(null, { type: "create", draft: draft() }, { now: T0, available_cents: 0 });
  if (decision.kind !== "decided") throw new Error("the job was not made");
  return {
    job: { ...decision.job, ...change },
    version: 7,
    history: decision.history.map((row, index) => ({ ...row, seq: index + 1 })),
    log_nth: 1,
    postings: [],
    spending: [],
    effects: decision.effects.map((one) => ({ ...one, key: one.effect.type, serial: 7, attempts: 2 })),
  };
}

const LOG = [{ seq: 1, at: "2026-01-01T00:00:00Z", level: "info" as const, text: "hello" }];

const full: Partial<Job> = {
  status: "submitted",
  work: { ...NEW_ACTIONS_WORK, run: run() },
  result: work(),
  pull_request: { number: 9, url: "https://github.example/octo/demo/pull/9" },
  merge: { state: "waiting", refusals: 1 },
  reasons: [
    {
      verdict: "wait",
      text: "one is not done",
      url: null,
      because: [{ verdict: "wait", text: "CI", url: null, because: [] }],
    },
  ],
  comment: { id: 5 },
};

describe("the state of a job", () => {
  it("is read back as it was written, with the repository of the reader", () => {
    const before = stored(full);
    const carried = read(write(before, LOG), ID, HERE);
    expect(carried?.job).toEqual({ ...before.job, repository: HERE });
    expect(carried?.effects).toEqual(
      before.effects.map(({ effect, urgency, not_before }) => ({ effect, urgency, not_before })),
    );
    expect(carried?.history).toEqual(before.history.map(({ seq: _, ...row }) => row));
    expect(carried?.log).toEqual(LOG);
  });

  it.each([
    { format: 1, job: {}, effects: [] },
    { format: 1, job: { base: { branch: null }, other_tries: 5 }, effects: [] },
    { format: 1, job: { base: { branch: null } }, effects: [{}] },
  ])("is none where it is broken, whatever its format: %j", (text) => {
    expect(read(JSON.stringify(text), ID, HERE)).toBeNull();
  });

  it("is read as the version before has written it", () => {
    const before = stored({ ...full, result: { ...work(), run: null } });
    const { format: _, job, effects, ...others } = JSON.parse(write(before, LOG));
    const { work: ofToday, result, attempt, other_attempts, ...kept } = job;
    const { kind, ...ofActions } = ofToday;
    const { attempts, ...spent } = other_attempts;
    const old = {
      ...{
        ...kept,
        ...ofActions,
        runner: kind,
        work: result,
        tries: attempt,
        other_tries: { ...spent, tries: attempts },
      },
      ...{ hold: null, worker: null, presented_to_agents: [] },
    };
    const of = ({ attempt: nth, ...effect }: { attempt?: number }) => (nth ? { ...effect, try: nth } : effect);
    const pending = effects.map((one: { effect: object; not_before: number }) => ({
      ...{ effect: of(one.effect), not_before: one.not_before },
    }));
    const carried = read(JSON.stringify({ format: 1, job: old, effects: pending, ...others }), ID, HERE);
    expect(carried?.job).toEqual({ ...before.job, repository: HERE });
    expect(carried?.effects).toEqual(
      before.effects.map(({ effect, not_before }) => ({ effect, urgency: "now", not_before })),
    );
  });

  it("never carries a secret, wherever one stands", () => {
    const token = `ghs_${"a".repeat(40)}`;
    expect(write(stored({ task: `use ${token}`, failure: token }), LOG)).not.toContain(token);
  });

  it("stays inside what GitHub answers, whatever people have written", () => {
    const long = "ü".repeat(120_000);
    const rounds = Array.from({ length: 20 }, () => ({ asked: long, by: "ada", did: long }));
    const text = write(stored({ task: long, rounds }), LOG);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_STATE_BYTES);
    expect(read(text, ID, HERE)?.job.rounds).toHaveLength(20);
  });

  it.each([
    ["no JSON", "{"],
    ["another format", JSON.stringify({ format: 3 })],
    ["another job", write(stored({ id: jobId("zzzz9999") }), LOG)],
    ["another branch", write(stored({ branch: "main" }), LOG)],
    ["a job of the market", write(stored({ work: NEW_MARKET_WORK }), LOG)],
    ["a price", write(stored({ price_cents: 500 }), LOG)],
    ["an unknown status", write(stored(), LOG).replace('"queued"', '"merged"')],
  ])("is not believed when it is %s", (_, text) => {
    expect(read(text, ID, HERE)).toBeNull();
  });
});

describe("ids of events", () => {
  it("are the same for a run that is run again, and different for every other", () => {
    const ids = createEventIds(HERE, "100");
    expect([ids.jobId(), ids.jobId()]).toEqual([idOfEvent(HERE, "100", 0), idOfEvent(HERE, "100", 1)]);
    expect(idOfEvent({ owner: "OCTO", name: "Demo" }, "100", 0)).toBe(idOfEvent(HERE, "100", 0));
    expect(idOfEvent(HERE, "101", 0)).not.toBe(idOfEvent(HERE, "100", 0));
  });
});

describe("with GITHUB_TOKEN people are told", () => {
  it("that the checks wait for a click, until a check has reported", () => {
    expect(plainTokenRemark(stored({ ...full, reasons: [] }).job)).toContain("Approve workflows to run");
    expect(plainTokenRemark(stored(full).job)).toBeNull();
    expect(plainTokenRemark(stored().job)).toBeNull();
  });

  it("which setting must be on, while there is no pull request", () => {
    expect(plainTokenRemark(stored({ ...full, pull_request: null }).job)).toContain("Allow GitHub Actions to create");
  });

  it("beside what the job itself says", () => {
    expect(withRemarks(stored({ notice: "One." }).job, [null, "Two."]).notice).toBe("One. Two.");
    expect(withRemarks(stored().job, [null]).notice).toBeNull();
  });
});

describe("the action's settings", () => {
  const runner = {
    INPUT_TOKEN: "ghs_x",
    GITHUB_EVENT_NAME: "issue_comment",
    GITHUB_EVENT_PATH: "/event.json",
    GITHUB_RUN_ID: "12",
    GITHUB_REPOSITORY: "octo/demo",
    RUNNER_TEMP: "/tmp",
  };

  it("are what a runner sets", () => {
    const reading = readActionSettings({ ...runner, GITHUB_API_URL: "https://ghe.example/api/v3/" });
    expect(reading.ok && reading.settings).toMatchObject({
      repository: { owner: "octo", name: "demo" },
      api_url: "https://ghe.example/api/v3",
      run_attempt: 1,
      wait_budget_ms: 90_000,
    });
    expect(JSON.stringify(reading)).not.toContain("ghs_x");
  });

  it("name an input and a setting that there are not, and go on", () => {
    const set = {
      INPUT_PATIENSE: "5",
      INPUT_MODE: "x",
      LLM_MODL: "x",
      QUOTA_OPEN_ORDERS: "1",
      NODE_OPTIONS: "",
      CI: "1",
    };
    expect(readActionSettings({ ...runner, ...set })).toMatchObject({
      ok: true,
      notes: [
        "INPUT_PATIENSE is no setting of Actions mode and is ignored; did you mean INPUT_PATIENCE?",
        "INPUT_MODE is no setting of Actions mode and is ignored; there is INPUT_TOKEN, INPUT_PATIENCE.",
        "LLM_MODL is no setting of Actions mode and is ignored; did you mean LLM_MODEL?",
        "QUOTA_OPEN_ORDERS is no setting of Actions mode and is ignored.",
      ],
    });
    expect(readActionSettings(runner)).toMatchObject({ ok: true, notes: [] });
  });

  it("name a model that is known, or one of a gateway of one's own", () => {
    expect(readActionSettings({ ...runner, LLM_MODEL: "llama" })).toMatchObject({
      ok: false,
      mistakes: [expect.stringContaining("LLM_MODEL: The model `llama` is unknown")],
    });
    const own = readActionSettings({ ...runner, LLM_MODEL: "llama", LLM_PROVIDER: "anthropic-compatible" });
    expect(own.ok && own.settings.llm).toMatchObject({ model: "llama", max_tokens: null });
  });

  it("are all named at once when they are wrong", () => {
    const reading = readActionSettings({
      INPUT_PATIENCE: "soon",
      GITHUB_REPOSITORY: "demo",
      SENTRY_DSN: "https://x@sentry.test/1",
    });
    expect(reading.ok).toBe(false);
    const told = reading.ok ? "" : reading.mistakes.join("\n");
    for (const name of [
      "INPUT_TOKEN",
      "GITHUB_EVENT_PATH",
      "GITHUB_REPOSITORY",
      "INPUT_PATIENCE",
      "RUNNER_TEMP",
      "SENTRY_DSN",
    ])
      expect(told).toContain(`${name}:`);
  });
});
