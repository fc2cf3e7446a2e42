/** The contract of requests with an `Idempotency-Key`, which must be processed once. */
import { describe, expect, it } from "vitest";
import type { IdempotentRequest, StoredResponse } from "../../../src/engine/ports/idempotency.ts";
import { type Engine, jobId, START, withStore } from "./sample.ts";

const DAY_MS = 24 * 3_600_000;

const asked = (scope: string, differs: Partial<IdempotentRequest> = {}): IdempotentRequest => ({
  scope: scope.repeat(64),
  fingerprint: "what was asked",
  work_id: jobId(1),
  at: START,
  ...differs,
});

const answer: StoredResponse = { status: 201, headers: { Location: "/jobs/1" }, body: { id: "1", list: [1, null] } };

export function describeIdempotency(engine: Engine): void {
  describe(`requests with an idempotency key in ${engine.name}`, () => {
    it("gives the answer again to the same request and to no other, over restarts", () =>
      withStore(engine, async (store, reopen) => {
        expect(await store.idempotency.begin(asked("a"))).toEqual({ kind: "new" });
        await store.idempotency.finish(asked("a").scope, answer);
        for (const next of [async () => store, reopen]) {
          const { idempotency } = await next();
          expect(await idempotency.begin(asked("a", { work_id: jobId(2) }))).toEqual({ kind: "same", answer });
          expect(await idempotency.begin(asked("a", { fingerprint: "another" }))).toEqual({ kind: "other_body" });
          expect(await idempotency.begin(asked("b"))).toEqual({ kind: "new" });
          await idempotency.release(asked("b").scope);
        }
      }));

    it("keeps the first work id of what was begun and never finished, over restarts", () =>
      withStore(engine, async (store, reopen) => {
        await store.idempotency.begin(asked("a"));
        for (const next of [async () => store, reopen]) {
          const { idempotency } = await next();
          const running = { kind: "running", work_id: jobId(1) };
          expect(await idempotency.begin(asked("a", { work_id: jobId(2) }))).toEqual(running);
          expect(await idempotency.begin(asked("a", { fingerprint: "another" }))).toEqual({ kind: "other_body" });
        }
      }));

    it("says new to one of many that begin at once", () =>
      withStore(engine, async ({ idempotency }) => {
        const begun = await Promise.all(Array.from({ length: 20 }, () => idempotency.begin(asked("a"))));
        expect(begun.filter(({ kind }) => kind === "new")).toHaveLength(1);
      }));

    it("is free again after a release, for another request too, over restarts", () =>
      withStore(engine, async (store, reopen) => {
        await store.idempotency.begin(asked("a"));
        await store.idempotency.release(asked("a").scope);
        await store.idempotency.release(asked("c").scope);
        const { idempotency } = await reopen();
        expect(await idempotency.begin(asked("a", { fingerprint: "another" }))).toEqual({ kind: "new" });
      }));

    it("keeps an answer without a body, and none for what was never begun", () =>
      withStore(engine, async ({ idempotency }) => {
        await idempotency.begin(asked("a"));
        await idempotency.finish(asked("a").scope, { status: 204, headers: {}, body: null });
        const same = { kind: "same", answer: { status: 204, headers: {}, body: null } };
        expect(await idempotency.begin(asked("a"))).toEqual(same);
        await idempotency.finish(asked("b").scope, answer);
        expect(await idempotency.begin(asked("b"))).toEqual({ kind: "new" });
      }));

    it("forgets after a day, counted from the beginning, and begins anew for good", () => {
      let now = START;
      return withStore(
        engine,
        async (store, reopen) => {
          await store.idempotency.begin(asked("a"));
          await store.idempotency.finish(asked("a").scope, answer);
          now = START + DAY_MS - 1;
          expect(await store.idempotency.begin(asked("a", { at: now }))).toMatchObject({ kind: "same" });
          now = START + DAY_MS;
          const later = asked("a", { fingerprint: "another", at: now });
          expect(await store.idempotency.begin(later)).toEqual({ kind: "new" });
          const { idempotency } = await reopen();
          expect(await idempotency.begin(later)).toMatchObject({ kind: "running" });
        },
        () => now,
      );
    });
  });
}
