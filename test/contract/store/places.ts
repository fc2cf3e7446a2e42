/** The contract of what a store knows of a repository's places: who runs, has an open pull request, or waits in line. */
import { describe, expect, it } from "vitest";
import type { JobStore } from "../../../src/engine/ports/jobs.ts";
import { commitOf, type Engine, jobId, keep, onMarket, START, sampleJob, withStore } from "./sample.ts";

const pull_request = { number: 12, url: "https://example.com/12" };
const line = { since: START + 5, limit: "running", most: 1, position: 1 } as const;

export function describePlaces(engine: Engine): void {
  describe(`places in ${engine.name}`, () => {
    const at = async (jobs: JobStore, name = "octo/HELLO") =>
      Object.fromEntries((await jobs.placesIn(name)).map(({ id, ...place }) => [Number(id), place]));

    it("hold what their attempts may cost of the budget of an account, in all repositories, while they run", () =>
      withStore(engine, async (store, reopen) => {
        const reserved = { budgeted: true, cents: 120, at: START + 1 };
        const other = { owner: "octo", name: "other", installation_id: 7 };
        await keep(store.jobs, sampleJob(1, { reserved }));
        await keep(
          store.jobs,
          sampleJob(2, { reserved: { ...reserved, cents: 5 }, repository: other, account: "Ada" }),
        );
        await keep(store.jobs, sampleJob(3, { reserved, account: "bob" }));
        await keep(store.jobs, sampleJob(4, { reserved, status: "verified" }));
        for (const jobs of [store.jobs, (await reopen()).jobs])
          expect(await jobs.heldBy("ADA")).toEqual([
            { id: jobId(1), at: START + 1, cents: 120 },
            { id: jobId(2), at: START + 1, cents: 5 },
          ]);
        const { jobs } = await reopen();
        await jobs.commit(commitOf({ ...sampleJob(1, { reserved }), status: "failed" }, 1));
        expect((await jobs.heldBy("ada")).map(({ cents }) => cents)).toEqual([5]);
      }));

    it("are had by jobs that run, work or wait in line, and by open pull requests, in any case of the name", () =>
      withStore(engine, async (store, reopen) => {
        const other = { owner: "octo", name: "other", installation_id: 7 };
        await keep(store.jobs, sampleJob(1));
        await keep(store.jobs, sampleJob(2, { status: "accepted", account: "Bob" }));
        await keep(store.jobs, sampleJob(3, { status: "queued", line }));
        await keep(store.jobs, sampleJob(4, { status: "verified", pull_request, pull_request_open: true }));
        await keep(store.jobs, sampleJob(5, { status: "verified", pull_request: { ...pull_request, number: 13 } }));
        await keep(store.jobs, sampleJob(6, { ...onMarket(), status: "accepted" }));
        await keep(store.jobs, sampleJob(7, { repository: other }));
        for (const jobs of [store.jobs, (await reopen()).jobs]) {
          expect(await at(jobs)).toMatchObject({
            1: { account: "ada", runs: true, pull_request: true, opens: true, waits_since: null, shown: null },
            2: { account: "bob", runs: true, pull_request: true, opens: true, waits_since: null, shown: null },
            3: { account: "ada", runs: false, pull_request: false, opens: true, waits_since: START + 5, shown: 1 },
            4: { account: "ada", runs: false, pull_request: true, opens: true, waits_since: null, shown: null },
          });
          expect(Object.keys(await at(jobs))).toEqual(["1", "2", "3", "4"]);
          expect(Object.keys(await at(jobs, "octo/other"))).toEqual(["7"]);
          expect(await jobs.lines()).toEqual(["octo/hello"]);
        }
      }));

    it("are found by the repository's number, too, while some jobs still have another name of it", () =>
      withStore(engine, async (store, reopen) => {
        const named = (name: string, id: number) => ({ owner: "octo", name, id, installation_id: 7 });
        await keep(store.jobs, sampleJob(1, { repository: named("hello", 5) }));
        await keep(store.jobs, sampleJob(2, { repository: named("renamed", 5) }));
        await keep(store.jobs, sampleJob(3, { repository: named("other", 6) }));
        for (const jobs of [store.jobs, (await reopen()).jobs]) {
          const ids = async (name: string, id?: number) => (await jobs.placesIn(name, id)).map((one) => one.id).sort();
          expect(await ids("octo/renamed", 5)).toEqual([jobId(1), jobId(2)]);
          expect(await ids("octo/renamed")).toEqual([jobId(2)]);
          expect(await ids("octo/other", 6)).toEqual([jobId(3)]);
        }
      }));

    it("are given back with the commit that ends them, and follow a repository to its new name", () =>
      withStore(engine, async ({ jobs }) => {
        const renamed = { owner: "octo", name: "bye", installation_id: 7 };
        await keep(jobs, sampleJob(1));
        await keep(jobs, sampleJob(2, { line }));
        await keep(jobs, sampleJob(1, { status: "failed" }));
        expect(Object.keys(await at(jobs))).toEqual(["2"]);
        await keep(jobs, sampleJob(2, { line, repository: renamed }));
        expect(await at(jobs)).toEqual({});
        expect(await jobs.lines()).toEqual(["octo/bye"]);
        await keep(jobs, sampleJob(2, { repository: renamed }));
        expect(await jobs.lines()).toEqual([]);
        expect(await at(jobs, "octo/bye")).toMatchObject({ 2: { runs: true } });
        expect((await jobs.load(jobId(2)))?.job.line).toBeNull();
      }));
  });
}
