import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JobId } from "../../src/domain/job/job.ts";
import type { OfferFacts } from "../../src/store/facts.ts";
import { MarketQueue } from "../../src/store/lowdb/market-queue.ts";
import { jobId } from "../contract/store/sample.ts";

const NOBODY: ReadonlySet<JobId> = new Set();
const REPOSITORIES = ["octo/a", "octo/b"] as const;
const SKILLS = ["go", "sql", "python"] as const;
const AGENTS: readonly (readonly [string, readonly string[]])[] = [
  ["x", []],
  ["y", ["go"]],
  ["z", ["sql", "python"]],
];

const facts = (number: number, differs: Partial<OfferFacts> = {}): OfferFacts => ({
  id: jobId(number),
  repository: "octo/a",
  price_cents: 100,
  created_at: number,
  skills: [],
  presented_to_agents: [],
  held_until: null,
  ...differs,
});

/** The order of the market, by looking at all of them. */
function slowly(
  jobs: Iterable<OfferFacts>,
  to: { readonly agent_id: string; readonly skills: readonly string[]; readonly repository: string | null },
  except: ReadonlySet<JobId>,
  now: number,
): JobId | null {
  const rank = (job: OfferFacts): (number | string)[] => [
    job.presented_to_agents.includes(to.agent_id) ? 1 : 0,
    job.skills.some((skill) => to.skills.includes(skill)) ? 0 : 1,
    -job.price_cents,
    job.created_at,
    job.id,
  ];
  const before = (a: OfferFacts, b: OfferFacts): number => {
    const [one, other] = [rank(a), rank(b)];
    const at = one.findIndex((value, index) => value !== other[index]);
    return at < 0 ? 0 : (one[at] ?? 0) < (other[at] ?? 0) ? -1 : 1;
  };
  const free = [...jobs].filter(
    (job) =>
      (job.held_until === null || job.held_until <= now) &&
      (to.repository === null || to.repository === job.repository) &&
      !except.has(job.id),
  );
  return free.sort(before)[0]?.id ?? null;
}

const job = fc.nat({ max: 12 });
const step = fc.oneof(
  fc.record({
    do: fc.constant("put" as const),
    job,
    repository: fc.constantFrom(...REPOSITORIES),
    price_cents: fc.constantFrom(100, 200, 300),
    skills: fc.subarray([...SKILLS]),
  }),
  fc.record({ do: fc.constant("gone" as const), job }),
  fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(10, 30) }),
  fc.record({
    do: fc.constant("pull" as const),
    agent: fc.nat({ max: 2 }),
    repository: fc.constantFrom(null, null, ...REPOSITORIES),
    except: fc.subarray([0, 1, 2, 3, 4]),
    after: fc.constantFrom("held", "rejected", "left" as const),
  }),
);

describe("the market's queue", () => {
  it("offers each agent what looking through all jobs would find", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: "max" }), (steps) => {
        const offers = new MarketQueue();
        const jobs = new Map<JobId, OfferFacts>();
        let now = 0;
        const put = (next: OfferFacts) => {
          jobs.set(next.id, next);
          offers.put(next.id, next);
        };
        for (const one of steps) {
          if (one.do === "pass") now += one.ms;
          else if (one.do === "gone") {
            jobs.delete(jobId(one.job));
            offers.put(jobId(one.job), null);
          } else if (one.do === "put") {
            const { repository, price_cents, skills } = one;
            const presented_to_agents = jobs.get(jobId(one.job))?.presented_to_agents ?? [];
            put(facts(one.job, { repository, price_cents, skills, presented_to_agents }));
          } else {
            const [agent_id, skills] = AGENTS[one.agent] ?? ["x", []];
            const to = { agent_id, skills, repository: one.repository };
            const except = new Set(one.except.map(jobId));
            const found = offers.next(to, except, now);
            expect(found).toBe(slowly(jobs.values(), to, except, now));
            const held = found === null ? undefined : jobs.get(found);
            if (held === undefined || one.after === "left") continue;
            const presented_to_agents = [...new Set([...held.presented_to_agents, agent_id])];
            put({ ...held, presented_to_agents, held_until: one.after === "held" ? now + 30 : null });
          }
        }
      }),
      { numRuns: 400 },
    );
  });

  it("does not lose sight of a better job that came while an agent was far down the list, or long away", () => {
    const offers = new MarketQueue();
    const to = { agent_id: "x", skills: [], repository: null };
    const many = 3_000;
    for (let number = 0; number < many; number++) offers.put(jobId(number), facts(number));
    const seen = (number: number, price_cents = 100) =>
      offers.put(jobId(number), facts(number, { price_cents, presented_to_agents: ["x"] }));
    for (let number = 0; number < many; number++) {
      expect(offers.next(to, NOBODY, 0)).toBe(jobId(number));
      seen(number);
    }
    offers.put(jobId(9_000), facts(9_000, { price_cents: 900 }));
    expect(offers.next(to, NOBODY, 0)).toBe(jobId(9_000));
    seen(9_000, 900);
    expect(offers.next(to, NOBODY, 0)).toBe(jobId(9_000));
    offers.put(jobId(9_001), facts(9_001, { price_cents: 901 }));
    for (let number = 0; number < many; number++) seen(number);
    expect(offers.next(to, NOBODY, 0)).toBe(jobId(9_001));
  });
});
