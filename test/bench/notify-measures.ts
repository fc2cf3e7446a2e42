/**
 * Outgoing webhooks: the rate at which they leave beside plain `fetch` calls (by CPU, since throughput on a busy machine
 * tells little), how soon the first is on the wire, what
 * receivers that hang do to the others, and what a create costs while many wait. Receivers are a process of their own.
 */
import { Webhook } from "standardwebhooks";
import { type Measured, median } from "./measured.ts";
import {
  announcementFor,
  draftOf,
  type NotifyStand,
  openNotifyStand,
  type Receivers,
  startReceivers,
  subscribe,
  timeNow,
} from "./notify-stand.ts";

/** As many requests as our sender has under way: eight receivers of sixteen each. */
const CONCURRENCY = 128;
const RECEIVERS = 8;
const EVENTS = 1_000;
const ROUNDS = 5;
/** The announcements that the engine lets run side by side. */
const ANNOUNCING = 40;

async function inParallel(count: number, width: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

let jobs = 0;

interface Rate {
  /** Of this process, which sends; the receivers are another. */
  readonly cpu_us: number;
  readonly per_second: number;
}

/** Sends all, and answers when the last has come. */
async function rated(receivers: Receivers, send: () => Promise<unknown>): Promise<Rate> {
  const all = EVENTS * RECEIVERS;
  const come = receivers.receive(all);
  const before = process.cpuUsage();
  const begun = timeNow();
  await send();
  const last = Math.max(...(await come).values());
  const { user, system } = process.cpuUsage(before);
  return { cpu_us: (user + system) / all, per_second: (all * 1_000) / (last - begun) };
}

/** Announced, recorded, signed, sent. */
async function ourRate(stand: NotifyStand, receivers: Receivers): Promise<Rate> {
  // what the commits have rendered
  const announced = Array.from({ length: EVENTS }, () => announcementFor("rate", ++jobs));
  return rated(receivers, () =>
    inParallel(EVENTS, ANNOUNCING, async (index) => {
      const one = announced[index];
      if (one !== undefined) await stand.notify.eventPublisher.perform(one.effect, one.job, false);
    }),
  );
}

/** The same bodies, rendered and signed the same way, and sent as anyone would; nothing is kept. */
async function fetchRate(receivers: Receivers): Promise<Rate> {
  const signer = new Webhook(`whsec_${Buffer.alloc(32, 7).toString("base64")}`);
  const { effect } = announcementFor("rate", ++jobs);
  const post = async (index: number): Promise<void> => {
    const at = new Date();
    const id = `msg_${index}`;
    const body = JSON.stringify(effect.announcement.events[0]);
    const headers = {
      "content-type": "application/json",
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(at.getTime() / 1_000)),
      "webhook-signature": signer.sign(id, at, body),
    };
    const response = await fetch(`${receivers.url}/fetch`, { method: "POST", headers, body });
    await response.arrayBuffer();
  };
  return rated(receivers, () => inParallel(EVENTS * RECEIVERS, CONCURRENCY, post));
}

export async function benchRate(receivers: Receivers): Promise<Measured> {
  const stand = await openNotifyStand();
  try {
    for (let index = 0; index < RECEIVERS; index++) await subscribe(stand, "rate", `${receivers.url}/rate/${index}`);
    const rounds: { ours: Rate; plain: Rate }[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const plain = await fetchRate(receivers);
      const ours = await ourRate(stand, receivers);
      // the first pays for compiling
      if (round > 0) rounds.push({ ours, plain });
    }
    const said = (name: string, of: readonly Rate[]): string => {
      const cpu = median(of.map((rate) => rate.cpu_us));
      const rate = median(of.map((one) => one.per_second));
      return `${name}: ${cpu.toFixed(0)} µs CPU a webhook, ${rate.toFixed(0)} a second`;
    };
    return {
      what: "webhooks for the CPU of a plain fetch call, recorded before they are sent",
      value: median(rounds.map(({ ours, plain }) => plain.cpu_us / ours.cpu_us)),
      // Node 24's own fetch takes little more than half of what it took in Node 20
      limit: 2,
      at_least: true,
      detail: [
        said(
          "ours",
          rounds.map(({ ours }) => ours),
        ),
        said(
          "fetch",
          rounds.map(({ plain }) => plain),
        ),
      ],
    };
  } finally {
    await stand.close();
  }
}

const CREATES = 200;

async function benchFirst(receivers: Receivers): Promise<Measured> {
  const stand = await openNotifyStand();
  try {
    await subscribe(stand, "first", `${receivers.url}/first`);
    const waits: number[] = [];
    for (let round = 0; round < CREATES; round++) {
      const come = receivers.receive(1);
      const created = await stand.engine.create(draftOf("first"));
      if (!created.ok) throw new Error(created.refusal.sentence);
      const [at = Number.NaN] = (await come).values();
      waits.push(at - (stand.committed.get(created.job.id) ?? Number.NaN));
    }
    const p99 = waits.toSorted((a, b) => a - b)[Math.floor(waits.length * 0.99)] ?? Number.NaN;
    return {
      what: "ms from a commit to its webhook at the receiver",
      value: median(waits),
      limit: 50,
      detail: [`median of ${CREATES}; p99 ${p99.toFixed(1)} ms`],
    };
  } finally {
    await stand.close();
  }
}

const ACCOUNTS = 10;
const EACH = 100;
const HANGING = 10;
/** One event for everybody, a tenth of a second apart for each account. */
const WAVES = 20;
const BETWEEN_MS = 100;

/** How long those waited that answer, from the moment that their event was announced; the last percent. */
async function lastPercent(receivers: Receivers, hanging: number): Promise<number> {
  const stand = await openNotifyStand();
  try {
    const fast = new Set<string>();
    for (let account = 0; account < ACCOUNTS; account++) {
      for (let index = 0; index < EACH; index++) {
        const path = index < hanging ? "hang" : "fair";
        const id = await subscribe(stand, `account-${account}`, `${receivers.url}/${path}/${account}/${index}`);
        if (index >= HANGING) fast.add(id);
      }
    }
    const waits: number[] = [];
    for (let wave = 0; wave < WAVES; wave++) {
      for (let account = 0; account < ACCOUNTS; account++) {
        const come = receivers.receive(EACH - hanging);
        const { job, effect } = announcementFor(`account-${account}`, ++jobs);
        const begun = timeNow();
        await stand.notify.eventPublisher.perform(effect, job, false);
        for (const at of (await come).values()) waits.push(at - begun);
        await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS / ACCOUNTS));
      }
    }
    return waits.toSorted((a, b) => a - b)[Math.floor(waits.length * 0.99)] ?? Number.NaN;
  } finally {
    await stand.close();
  }
}

async function benchHanging(receivers: Receivers): Promise<Measured> {
  const ratios: { alone: number; beside: number }[] = [];
  for (let round = 0; round < 3; round++) {
    ratios.push({ alone: await lastPercent(receivers, 0), beside: await lastPercent(receivers, HANGING) });
  }
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  const [alone, beside] = [median(ratios.map((one) => one.alone)), median(ratios.map((one) => one.beside))];
  return {
    what: `p99 of ${ACCOUNTS * EACH} receivers' wait while ${ACCOUNTS * HANGING} hang / while none does`,
    value: median(ratios.map((one) => one.beside / one.alone)),
    limit: 2,
    detail: [`${ms(beside)} / ${ms(alone)}, medians of ${ratios.length} rounds`],
  };
}

const PENDING = 10_000;

async function benchPending(receivers: Receivers): Promise<Measured> {
  const stands = { none: await openNotifyStand(), many: await openNotifyStand() };
  try {
    for (const stand of Object.values(stands)) await subscribe(stand, "creates", `${receivers.url}/creates`);
    for (let index = 0; index < 10; index++) await subscribe(stands.many, "away", `${receivers.url}/hang/${index}`);
    await inParallel(PENDING / 10, ANNOUNCING, () => {
      const { job, effect } = announcementFor("away", ++jobs);
      return stands.many.notify.eventPublisher.perform(effect, job, false);
    });
    const took = { none: [] as number[], many: [] as number[] };
    for (let round = 0; round < 2 * CREATES; round++) {
      const come = receivers.receive(2);
      const order = round % 2 === 0 ? (["none", "many"] as const) : (["many", "none"] as const);
      for (const which of order) {
        const begun = performance.now();
        await stands[which].engine.create(draftOf("creates"));
        took[which].push(performance.now() - begun);
      }
      await come;
    }
    const pending = (await stands.many.store.outgoing.pending()).length;
    const [none, many] = [median(took.none.slice(CREATES)), median(took.many.slice(CREATES))];
    return {
      what: `a create while ${PENDING} deliveries wait / while none does`,
      value: many / none,
      limit: 1.2,
      detail: [
        `${many.toFixed(3)} ms / ${none.toFixed(3)} ms, medians of ${CREATES}; ${pending} were waiting at the end`,
      ],
    };
  } finally {
    for (const stand of Object.values(stands)) await stand.close();
  }
}

export async function measureNotify(): Promise<readonly Measured[]> {
  const measured: Measured[] = [];
  for (const bench of [benchRate, benchFirst, benchHanging, benchPending]) {
    const receivers = await startReceivers();
    try {
      measured.push(await bench(receivers));
    } finally {
      await receivers.stop();
    }
  }
  return measured;
}
