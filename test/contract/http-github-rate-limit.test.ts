/**
 * Creating when GitHub's limits leave no room, in every dialect that creates, on a stopped clock: every answer comes
 * without waiting.
 */
import { expect, it } from "vitest";
import { DIALECTS as EVERY_DIALECT } from "../../src/http/api.ts";
import { stillClock } from "../flows/clock.ts";
import { type Asked, startServer, type TestServer } from "./http-server.ts";

interface Creating {
  create(server: TestServer): Promise<Asked>;
  /** What it is answered; null: creating writes nothing on GitHub, so there is nothing to wait for. */
  readonly refused: string | null;
}

const NO_ROOM = "GitHub's limits leave no room for another job now; come again in 42 seconds.";

const DIALECTS: Readonly<Record<string, Creating>> = {
  "create-job": {
    create: ({ ask }) => ask("POST", "/api/create-job", { body: { job: "x", repository: "octocat/hello" } }),
    refused: NO_ROOM,
  },
  "agent-v2": {
    create: ({ ask }) => ask("POST", "/v2/agent/octocat%2Fhello/job", { body: { prompt: "x" } }),
    refused: NO_ROOM,
  },
  market: {
    create: ({ ask }) => {
      const order = { prompt: "x", repository: "octocat/hello", price_cents: 500, time_limit_seconds: 3600 };
      return ask("POST", "/api/jobs/run", { body: { ...order, confirmed: true } });
    },
    refused: null,
  },
};

it("is asked in every dialect that makes jobs", () => {
  expect(Object.keys(DIALECTS)).toEqual(EVERY_DIALECT.map(({ name }) => name).filter((name) => name !== "runs"));
});

it.each(Object.entries(DIALECTS))(
  "%s is answered at once while the writes are spent",
  async (_name, { create, refused }) => {
    const server = await startServer({ clock: stillClock() });
    try {
      await server.ask("POST", "/api/wallet/credit", { body: { account: "admin", amount_cents: 500 } });
      server.github.busy_ms = 41_200;
      const answer = await create(server);
      const { jobs } = await server.store.jobs.list({ limit: 1 });
      if (refused === null) {
        expect(answer).toMatchObject({ status: 201 });
        const [job] = jobs;
        expect(job === undefined ? null : await server.store.jobs.load(job.id)).toMatchObject({ effects: [] });
      } else {
        expect(answer).toMatchObject({ status: 429, body: { code: "rate_limited", error: refused } });
        expect(answer.headers.get("retry-after")).toBe("42");
        expect(jobs).toEqual([]);
      }
    } finally {
      await server.close();
    }
  },
);
