/**
 * Random walks through the market over HTTP: two senders and three workers in any order, beside a model that must agree
 * after every step; and concurrent ones, after which the invariants are checked.
 */
import fc from "fast-check";
import { expect, it } from "vitest";
import { asJobId, type JobId, STATUSES } from "../../src/domain/job/job.ts";
import { escrowAccount, userAccount } from "../../src/domain/market/ledger.ts";
import { until } from "../flows/harness.ts";
import { type Market, type Person, startMarket, viewSchema } from "./market-harness.ts";
import { LIMIT, MarketModel, type ModelJob } from "./market-model.ts";

const SENDERS = ["ada", "eve"] as const;
const WORKERS = ["bob", "carl", "dora"] as const;
const SKILLS = { bob: null, carl: "python", dora: "research" } as const;
const MONEY = { ada: 2_000, eve: 900, bob: 0, carl: 0, dora: 0 };
const PROMPTS = { none: "Do this thing", python: "Write it in Python", research: "Research this topic" } as const;

interface World {
  readonly market: Market;
  readonly people: Readonly<Record<string, Person>>;
}

const idOf = (text: string): JobId => {
  const id = asJobId(text);
  if (id === null) throw new Error(`not an id: ${text}`);
  return id;
};

async function newWorld(): Promise<World> {
  const market = await startMarket({ still: true });
  market.server.github.opens = true;
  const people: Record<string, Person> = {};
  for (const [name, cents] of Object.entries(MONEY)) people[name] = await market.person(name, cents);
  for (const worker of WORKERS) {
    const skill = SKILLS[worker];
    if (skill !== null) await people[worker]?.ask("POST", "/api/agents", { name: "default", skills: [skill] });
  }
  return { market, people };
}

const person = ({ people }: World, name: string): Person => {
  const found = people[name];
  if (found === undefined) throw new Error(`nobody is called ${name}`);
  return found;
};

/** What everybody can see is what the model says. */
async function agree(model: MarketModel, world: World): Promise<void> {
  for (const [name, who] of Object.entries(world.people)) expect(await who.balance()).toBe(model.balance(name));
  for (const sender of SENDERS) {
    const answer = await person(world, sender).ask("GET", "/api/jobs?limit=100");
    const seen = new Map(
      viewSchema
        .array()
        .parse(answer.body)
        .map((job) => [job.id, job]),
    );
    for (const job of model.jobs.filter((one) => one.sender === sender))
      expect(seen.get(job.id)).toMatchObject({
        status: job.status,
        attempt_count: job.attempts,
        price_cents: job.price,
      });
  }
}

/** Where jobs have been, over all walks: one that goes nowhere proves nothing. */
const reached = new Set<string>();

type Step = (model: MarketModel, world: World) => Promise<void>;

const command = (name: string, step: Step): fc.AsyncCommand<MarketModel, World> => ({
  check: () => true,
  async run(model, world) {
    await step(model, world);
    await agree(model, world);
    for (const job of model.jobs) reached.add(job.status);
  },
  toString: () => name,
});

/** Most of what a random number names would be refused, so a worker mostly means the job in its hand. */
function pick(model: MarketModel, number: number, worker: string | null): ModelJob | undefined {
  const own = model.jobs.findLast(
    ({ status, ...job }) => worker !== null && (status === "held" ? job.holder : job.worker) === worker,
  );
  return number % 4 === 0 || own === undefined ? model.jobs[number % model.jobs.length] : own;
}

const order = (sender: string, price: number, skill: "none" | "python" | "research") =>
  command(`${sender} orders ${skill} at ${price}`, async (model, world) => {
    const job = model.order(sender, price, skill === "none" ? null : skill);
    const answer = await person(world, sender).ask("POST", "/api/jobs/run", {
      prompt: `${PROMPTS[skill]} number ${job.number}`,
      ...{ price_cents: price, time_limit_seconds: LIMIT / 1_000, confirmed: true },
    });
    expect(answer.status).toBe(job.status === "queued" ? 201 : 402);
    job.id = viewSchema.parse(answer.body).id;
  });

type JobStep = (job: ModelJob, model: MarketModel, world: World) => Promise<void>;

const onJob = (name: string, number: number, step: JobStep, worker: string | null = null) =>
  command(`${name} job ${number}`, async (model, world) => {
    const job = pick(model, number, worker);
    if (job !== undefined) await step(job, model, world);
  });

const pay = (number: number) =>
  onJob("its sender pays", number, async (job, model, world) => {
    const answer = await person(world, job.sender).ask("POST", `/api/jobs/${job.id}/pay`);
    expect(answer.status).toBe(model.pay(job));
  });

const cancel = (number: number) =>
  onJob("its sender cancels", number, async (job, model, world) => {
    expect((await person(world, job.sender).ask("POST", `/api/jobs/${job.id}/cancel`)).status).toBe(200);
    model.cancel(job);
  });

const pull = (worker: string) =>
  command(`${worker} pulls`, async (model, world) => {
    const best = model.best(worker);
    const pulled = await person(world, worker).pull();
    if (best.length === 0) return expect(pulled).toBeNull();
    const job = best.find(({ id }) => id === pulled?.id);
    if (job === undefined)
      throw new Error(`${worker} was offered ${pulled?.id}, not one of ${best.map(({ id }) => id)}`);
    model.hold(job, worker);
  });

const accept = (worker: string, number: number) =>
  onJob(
    `${worker} accepts`,
    number,
    async (job, model, world) => {
      const answer = await person(world, worker).accept(job.id);
      expect(answer.status).toBe(model.accept(job, worker));
    },
    worker,
  );

const reject = (worker: string, number: number) =>
  onJob(
    `${worker} rejects`,
    number,
    async (job, model, world) => {
      const answer = await person(world, worker).ask("POST", `/api/jobs/${job.id}/reject`);
      const holds = job.status === "held" && job.holder === worker;
      expect(answer.status).toBe(holds ? 200 : job.presented.has(worker) ? 400 : 404);
      if (holds) model.release(job);
    },
    worker,
  );

const fail = (worker: string, number: number) =>
  onJob(
    `${worker} fails`,
    number,
    async (job, model, world) => {
      const answer = await person(world, worker).ask("POST", `/api/jobs/${job.id}/fail`, {});
      const works = job.worker === worker && (job.status === "accepted" || job.status === "submitted");
      expect(answer.status).toBe(works ? 200 : job.presented.has(worker) ? 400 : 404);
      if (works) model.fail(job);
    },
    worker,
  );

/** Hands in a file and waits until its pull request is open. */
const submit = (worker: string, number: number) =>
  onJob(
    `${worker} submits`,
    number,
    async (job, _model, world) => {
      const files = [{ path: "a.txt", content: `${job.number}` }];
      const answer = await person(world, worker).ask("POST", `/api/jobs/${job.id}/submit`, { files });
      const works = job.status === "accepted" && job.worker === worker;
      expect(answer.status).toBe(works ? 200 : job.presented.has(worker) ? 400 : 404);
      if (!works) return;
      job.status = "submitted";
      const { store } = world.market.server;
      await until("the pull request", async () => {
        const stored = await store.jobs.load(idOf(job.id));
        return stored?.effects.every(({ effect }) => effect.type !== "open-pull-request");
      });
    },
    worker,
  );

let deliveries = 0;

/** GitHub tells that the pull request was merged, which is the last word on the work. */
const merge = (number: number) =>
  onJob("GitHub merges", number, async (named, model, world) => {
    const job = named.status === "submitted" ? named : model.jobs.find(({ status }) => status === "submitted");
    if (job === undefined) return;
    const { server, clock } = world.market;
    const merged_at = new Date(clock.now()).toISOString();
    const pull = (await server.store.jobs.load(idOf(job.id)))?.job.pull_request?.number;
    const payload = {
      action: "closed",
      repository: { id: 1, name: "demo", owner: { login: "octo" } },
      installation: { id: 1 },
      sender: { login: "someone" },
      pull_request: {
        ...{ number: pull, merged: true, merged_at, merged_by: { login: "someone", id: 77 } },
        head: { ref: `job/${job.id}`, sha: "d".repeat(40), repo: { id: 1 } },
      },
    };
    await server.deliver("pull_request", `delivery-${++deliveries}`, payload);
    await until("the merge", async () => (await server.store.jobs.load(idOf(job.id)))?.job.merged_at !== null);
    model.verify(job);
  });

const pass = (ms: number) =>
  command(`${ms / 1_000} s pass`, async (model, { market }) => {
    market.clock.pass(ms);
    model.pass(ms);
    await market.server.engine.enforceDeadlines();
  });

const sender = fc.constantFrom(...SENDERS);
const worker = fc.constantFrom(...WORKERS);
const number = fc.nat({ max: 20 });
const price = fc.constantFrom(100, 300, 301, 700);
const skill = fc.constantFrom("none", "python", "research");

const commands = [
  fc.tuple(sender, price, skill).map((args) => order(...args)),
  number.map(pay),
  number.map(cancel),
  ...[0, 1, 2].map(() => worker.map(pull)),
  ...[0, 1, 2].map(() => fc.tuple(worker, number).map((args) => accept(...args))),
  fc.tuple(worker, number).map((args) => reject(...args)),
  fc.tuple(worker, number).map((args) => fail(...args)),
  ...[0, 1].map(() => fc.tuple(worker, number).map((args) => submit(...args))),
  number.map(merge),
  fc.constantFrom(10_000, 30_000, 60_000).map(pass),
];

const RUNS = 15;

type Steps = Iterable<fc.AsyncCommand<MarketModel, World>>;

const walk = async (steps: Steps): Promise<void> => {
  const world = await newWorld();
  await fc.asyncModelRun(() => ({ model: new MarketModel(MONEY, SKILLS), real: world }), steps);
};

/** What a random walk seldom comes to, walked first. */
const LONG_WAYS: readonly Steps[] = [
  [order("eve", 300, "none"), ...[0, 1].flatMap(() => [pull("bob"), accept("bob", 1), fail("bob", 1)])],
  [order("ada", 700, "none"), pull("bob"), accept("bob", 1), submit("bob", 1), cancel(0), merge(0)],
  [order("ada", 700, "none"), pull("bob"), accept("bob", 1), cancel(0), pass(60_000), order("ada", 2_100, "none")],
];

it("does after every step what the seed says, whoever comes in whatever order", async () => {
  for (const steps of LONG_WAYS) await walk(steps);
  const random = fc.asyncProperty(fc.commands(commands, { maxCommands: 80, size: "max" }), walk);
  await fc.assert(random, { numRuns: RUNS, endOnFailure: true });
  // only an agent on the repository's own runners asks anything
  const ofMarket = STATUSES.filter((status) => status !== "waiting_for_user");
  expect([...reached].sort()).toEqual([...ofMarket].sort());
}, 240_000);

/** What must hold whatever has happened: money is conserved, nobody owes, and an escrow belongs to a job that waits. */
async function conserved({ market }: World): Promise<void> {
  const { jobs } = market.server.store;
  let sum = (await jobs.balance("outside")) + (await jobs.balance("fees"));
  for (const name of Object.keys(MONEY)) {
    const balance = await jobs.balance(userAccount(name));
    expect(balance).toBeGreaterThanOrEqual(0);
    sum += balance;
  }
  for (const job of (await jobs.list({ limit: 200 })).jobs) {
    const escrow = await jobs.balance(escrowAccount(job.id));
    expect(escrow).toBe(["queued", "held", "accepted", "submitted"].includes(job.status) ? job.price_cents : 0);
    sum += escrow;
  }
  expect(sum).toBe(0);
}

const anyRequest = fc.oneof(
  fc.tuple(sender, price).map(([who, price_cents]) => async (world: World) => {
    const body = { prompt: "Do it", price_cents, time_limit_seconds: 60, confirmed: true };
    await person(world, who).ask("POST", "/api/jobs/run", body);
  }),
  fc.tuple(sender, number, fc.constantFrom("pay", "cancel")).map(([who, index, what]) => async (world: World) => {
    const answer = await person(world, who).ask("GET", "/api/jobs?limit=100");
    const ids = viewSchema
      .array()
      .parse(answer.body)
      .map(({ id }) => id);
    if (ids.length > 0) await person(world, who).ask("POST", `/api/jobs/${ids[index % ids.length]}/${what}`);
  }),
  fc.tuple(worker, fc.constantFrom("reject", "accept", "fail", "submit")).map(([who, what]) => async (world: World) => {
    const job = await person(world, who).pull();
    if (job === null) return;
    if (what !== "reject") await person(world, who).accept(job.id);
    const body = what === "submit" ? { output_text: "done" } : {};
    if (what !== "accept") await person(world, who).ask("POST", `/api/jobs/${job.id}/${what}`, body);
  }),
  fc.constantFrom(10_000, 30_000).map(
    (ms) =>
      async ({ market }: World) =>
        market.clock.pass(ms),
  ),
);

it("loses and makes no cent when everybody comes at once", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyRequest, { minLength: 20, maxLength: 60 }), async (requests) => {
      const world = await newWorld();
      await Promise.all(requests.map((request) => request(world)));
      await conserved(world);
      await world.market.restart();
      await conserved(world);
    }),
    { numRuns: 10 },
  );
}, 240_000);

it("50 parallel confirms on a balance for 10 leave exactly 10 queued", async () => {
  const market = await startMarket();
  const ada = await market.person("ada", 1_000);
  const jobs = await Promise.all(Array.from({ length: 50 }, () => ada.order(100)));
  const count = (status: string) => jobs.filter((job) => job.status === status).length;
  expect([count("queued"), count("pending_payment"), await ada.balance()]).toEqual([10, 40, 0]);
});

it("100 workers pulling 30 jobs never share one", async () => {
  const market = await startMarket();
  const ada = await market.person("ada", 3_000);
  await Promise.all(Array.from({ length: 30 }, () => ada.order(100)));
  const workers = await Promise.all(Array.from({ length: 100 }, (_, index) => market.person(`worker${index}`)));
  const pulled = await Promise.all(workers.map((who) => who.pull()));
  const ids = pulled.flatMap((job) => (job === null ? [] : [job.id]));
  expect([ids.length, new Set(ids).size]).toEqual([30, 30]);
  const accepted = await Promise.all(workers.map((who, index) => who.accept(pulled[index]?.id ?? ids[0] ?? "")));
  expect(accepted.filter(({ status }) => status === 200)).toHaveLength(30);
});
