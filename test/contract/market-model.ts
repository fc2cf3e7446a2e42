/**
 * A small model of the market: what each command answers and changes. Written from the specification, not from the
 * code; it uses a manual clock.
 */
export type Status =
  | "pending_payment"
  | "queued"
  | "held"
  | "accepted"
  | "submitted"
  | "verified"
  | "cancelled"
  | "failed";

export interface ModelJob {
  readonly number: number;
  readonly sender: string;
  readonly price: number;
  readonly skill: string | null;
  readonly created: number;
  id: string;
  status: Status;
  attempts: number;
  flagged: boolean;
  presented: Set<string>;
  holder: string | null;
  heldUntil: number;
  worker: string | null;
  deadline: number;
}

export const HOLD = 30_000;
export const LIMIT = 60_000;

export const feeOf = (price: number): number => Math.min(price, Math.round(price * 0.2) + 50);

export class MarketModel {
  now = 0;
  readonly balances = new Map<string, number>();
  fees = 0;
  readonly jobs: ModelJob[] = [];

  readonly skills: ReadonlyMap<string, string | null>;

  constructor(people: Readonly<Record<string, number>>, skills: Readonly<Record<string, string | null>>) {
    for (const [name, cents] of Object.entries(people)) this.balances.set(name, cents);
    this.skills = new Map(Object.entries(skills));
  }

  balance(who: string): number {
    return this.balances.get(who) ?? 0;
  }

  give(who: string, cents: number): void {
    this.balances.set(who, this.balance(who) + cents);
  }

  order(sender: string, price: number, skill: string | null): ModelJob {
    const paid = this.balance(sender) >= price;
    if (paid) this.give(sender, -price);
    const job: ModelJob = {
      ...{ number: this.jobs.length, sender, price, skill, created: this.now, id: "" },
      ...{ status: paid ? "queued" : "pending_payment", attempts: 0, flagged: false, presented: new Set<string>() },
      ...{ holder: null, heldUntil: 0, worker: null, deadline: 0 },
    };
    this.jobs.push(job);
    return job;
  }

  /** Holds and deadlines are exact whenever somebody looks. */
  pass(ms: number): void {
    this.now += ms;
    for (const job of this.jobs) {
      if (job.status === "held" && job.heldUntil <= this.now) this.release(job);
      else if (job.status === "accepted" && job.deadline <= this.now) this.fail(job);
    }
  }

  release(job: ModelJob): void {
    job.status = "queued";
    job.holder = null;
  }

  pay(job: ModelJob): 200 | 400 | 402 {
    if (job.status !== "pending_payment") return 400;
    if (this.balance(job.sender) < job.price) return 402;
    this.give(job.sender, -job.price);
    job.status = "queued";
    return 200;
  }

  cancel(job: ModelJob): void {
    if (job.status === "pending_payment") job.status = "cancelled";
    else if (job.status === "queued" || job.status === "held") {
      job.status = "cancelled";
      this.give(job.sender, job.price);
    } else if (job.status === "accepted" || job.status === "submitted") job.flagged = true;
  }

  fail(job: ModelJob): void {
    job.attempts += 1;
    job.worker = null;
    if (job.flagged) job.status = "cancelled";
    else if (job.attempts >= 3) job.status = "failed";
    else job.status = "queued";
    if (job.status !== "queued") this.give(job.sender, job.price);
  }

  /** The best for this worker: unseen, then skill, then price, then age; jobs of one moment in any order. */
  best(worker: string): ModelJob[] {
    const rank = (job: ModelJob): number[] => [
      job.presented.has(worker) ? 1 : 0,
      job.skill !== null && job.skill === this.skills.get(worker) ? 0 : 1,
      -job.price,
      job.created,
    ];
    const compare = (a: number[], b: number[]): number =>
      a.map((value, index) => value - (b[index] ?? 0)).find((difference) => difference !== 0) ?? 0;
    const queued = this.jobs.filter(({ status }) => status === "queued");
    const first = queued.map(rank).sort(compare)[0];
    return first === undefined ? [] : queued.filter((job) => compare(rank(job), first) === 0);
  }

  hold(job: ModelJob, worker: string): void {
    job.status = "held";
    job.holder = worker;
    job.heldUntil = this.now + HOLD;
    job.presented.add(worker);
  }

  accept(job: ModelJob, worker: string): number {
    if (job.status === "accepted" && job.worker === worker) return 200;
    // whoever was offered it once had a hold that is over; others do not see it
    if (job.status !== "held" || job.holder !== worker) return job.presented.has(worker) ? 410 : 404;
    job.status = "accepted";
    job.holder = null;
    job.worker = worker;
    job.attempts += 1;
    job.deadline = this.now + LIMIT;
    return 200;
  }

  verify(job: ModelJob): void {
    job.status = "verified";
    const fee = feeOf(job.price);
    this.fees += fee;
    this.give(job.worker ?? "", job.price - fee);
  }
}
