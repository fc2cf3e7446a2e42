/** What an attempt has cost, as the decision that ends it books it. */
import { describe, expect, it } from "vitest";
import { NO_USAGE } from "../../src/contracts/result.ts";
import type { Command } from "../../src/domain/job/command.ts";
import type { Job } from "../../src/domain/job/job.ts";
import { ADA, begin, briefPushed, decided, led, opened, resultRead, runChanged, step, work } from "./job-fixtures.ts";

const RUN = { run_id: 500, attempt: 1 };
const usage = { ...NO_USAGE, turns: 3, input_tokens: 1_000, output_tokens: 200 };
const handIn = (cost_cents: number | null): Command => ({
  ...{ type: "hand-in", old_workflow: false, ...RUN },
  result: work({ model: "claude-sonnet-4-5", usage, cost_cents }),
});
const ENDED = runChanged({ status: "completed", conclusion: "success" });
const CANCELLED = runChanged({ status: "completed", conclusion: "cancelled" });
const running = (): Job => led(begin(), briefPushed(), runChanged());
const booked = (job: Job, command: Command) => decided(step(job, command)).spending;

describe("the cost of an attempt", () => {
  it("is what its run has told, booked with the decision that ends it and with no other", () => {
    expect(booked(running(), handIn(12.5))).toBeUndefined();
    const told = led(running(), handIn(12.5));
    expect(booked(told, ENDED)).toBeUndefined();
    const read = led(told, ENDED);
    const result = { model: "claude-sonnet-4-5", usage, cost_cents: 12.5 };
    expect(booked(read, resultRead(result))).toEqual([
      expect.objectContaining({ round: 1, attempt: 1, cents: 12.5, known: true, usage, model: "claude-sonnet-4-5" }),
    ]);
    expect(booked(led(read, resultRead(result)), opened())).toBeUndefined();
  });

  it("names the job, who asked and where", () => {
    const job = led(running(), handIn(1));
    expect(booked(job, CANCELLED)).toMatchObject([
      {
        ...{ job: job.id, account: job.account, requester: job.requester, started_by: null },
        ...{ repository: `${job.repository.owner}/${job.repository.name}`, at: job.reserved?.at },
      },
    ]);
  });

  it("is the most that it may be where its run told nothing, or no price", () => {
    expect(booked(running(), CANCELLED)).toMatchObject([{ cents: 500, known: false, usage: NO_USAGE }]);
    expect(booked(led(running(), handIn(null)), CANCELLED)).toMatchObject([{ cents: 500, known: false, usage }]);
  });

  it("says nothing of an earlier attempt's result", () => {
    const again = led(running(), handIn(7), CANCELLED, briefPushed(1, 2, "b2"), runChanged({ id: 501 }, "b2"));
    expect(booked(again, runChanged({ id: 501, status: "completed", conclusion: "cancelled" }, "b2"))).toMatchObject([
      { attempt: 2, cents: 500, known: false },
    ]);
  });

  it("is nothing where no run has begun", () => {
    const waiting = led(begin(), briefPushed());
    expect(booked(waiting, { type: "cancel", by: ADA })).toBeUndefined();
    expect(booked(waiting, runChanged({ status: "completed", conclusion: "startup_failure" }))).toBeUndefined();
  });

  it("is booked where one piece of news begins the run and ends it", () => {
    expect(booked(led(begin(), briefPushed()), CANCELLED)).toMatchObject([{ cents: 500, known: false }]);
    expect(booked(led(begin(), CANCELLED), briefPushed())).toMatchObject([{ attempt: 1, cents: 500, known: false }]);
  });
});
