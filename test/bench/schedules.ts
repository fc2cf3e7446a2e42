/**
 * Schedules: a thousand repositories with ten schedules each beside as many with none. What each needs of a start and of
 * memory is measured in a process of its own, in turns; what a tick costs, beside one with a single schedule.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Automation, NO_AUTOMATION } from "../../src/contracts/automation.ts";
import { decideRepository } from "../../src/domain/repository/decide.ts";
import { newRepository, type RepositoryState } from "../../src/domain/repository/repository.ts";
import { nextScheduleAt } from "../../src/domain/repository/schedules.ts";
import { openLowdbStore } from "../../src/store/lowdb/open.ts";
import { type Measured, median } from "./measured.ts";

const REPOSITORIES = 1_000;
const SCHEDULES = 10;
const ROUNDS = 5;
const DAY_MS = 24 * 3_600_000;
const MB = 1024 * 1024;
const NOW = Date.parse("2030-01-01T00:00Z");
const CONTEXT = { now: NOW, offers_set_up: false };
const CHILD = fileURLToPath(new URL("schedules-child.ts", import.meta.url));

const automationOf = (schedules: number): Automation => ({
  ...NO_AUTOMATION,
  schedules: Array.from({ length: schedules }, (_, at) => ({
    ...{ name: `schedule-${at}`, schedule: `${at * 5} ${at} * * 1-5`, timezone: "Europe/Berlin", enabled: true },
    ...{ type: "agent", job: "Update the dependencies that have a new minor version, and run the tests." },
    from: "config/CRONS.json",
  })),
});

function repositoryWith(id: number, schedules: number): RepositoryState {
  const settings = { id, settings: null, settings_problem: null, automation: automationOf(schedules) };
  const state = newRepository({ id, owner: "octo", name: `repository-${id}`, installation_id: 1 });
  const decision = decideRepository(state, { type: "settings-read", settings }, CONTEXT);
  if (decision.kind !== "decided" || decision.state === null) throw new Error("the files were not taken");
  return decision.state;
}

async function fill(dir: string, schedules: number): Promise<void> {
  const store = await openLowdbStore({ dir, now: Date.now, fileSystem: { ...fs, fsyncSync: () => {} } });
  for (let id = 1; id <= REPOSITORIES; id++) {
    const commit = { id, state: repositoryWith(id, schedules), expected_version: 0, effects: [], done: null };
    if (!(await store.repositories.commit(commit)).ok) throw new Error("a repository could not be stored");
  }
  await store.close();
}

interface Opened {
  readonly ms: number;
  readonly bytes: number;
}

function opened(dir: string): Opened {
  const child = spawnSync(process.execPath, ["--expose-gc", CHILD, dir], { encoding: "utf8" });
  if (child.status !== 0) throw new Error(child.stderr);
  return JSON.parse(child.stdout) as Opened;
}

function benchStart(root: string): Measured[] {
  const rounds = Array.from({ length: ROUNDS }, () => ({
    none: opened(join(root, "none")),
    all: opened(join(root, "all")),
  }));
  const of = (which: "none" | "all", what: keyof Opened) => median(rounds.map((round) => round[which][what]));
  const memory = (of("all", "bytes") - of("none", "bytes")) / MB;
  const ms = (of("all", "ms") - of("none", "ms")) / (REPOSITORIES * SCHEDULES);
  return [
    {
      what: `memory of ${REPOSITORIES} repositories with ${SCHEDULES} schedules each, beyond none, in MB`,
      value: memory,
      limit: 30,
      detail: [`${(of("all", "bytes") / MB).toFixed(1)} MB / ${(of("none", "bytes") / MB).toFixed(1)} MB of heap`],
    },
    {
      what: "start, beyond none, in ms a schedule",
      value: ms,
      limit: 0.2,
      detail: [`${of("all", "ms").toFixed(0)} ms / ${of("none", "ms").toFixed(0)} ms`],
    },
  ];
}

/** Milliseconds of a decision in which all of its schedules are due, for each of them. */
function tickCost(state: RepositoryState, due: number): number {
  const now = (nextScheduleAt(state) ?? NOW) + 7 * DAY_MS;
  const begun = performance.now();
  const decision = decideRepository(state, { type: "tick" }, { ...CONTEXT, now });
  const took = performance.now() - begun;
  if (decision.kind !== "decided" || decision.effects.length !== due) throw new Error("not all schedules began");
  return took / due;
}

function benchTicks(): Measured[] {
  const took = { one: [] as number[], ten: [] as number[] };
  for (let id = 1; id <= REPOSITORIES; id++) {
    took.one.push(tickCost(repositoryWith(id, 1), 1));
    took.ten.push(tickCost(repositoryWith(id, SCHEDULES), SCHEDULES));
  }
  const [one, ten] = [median(took.one), median(took.ten)];
  const detail = [`${ten.toFixed(3)} ms / ${one.toFixed(3)} ms a due schedule, medians of ${REPOSITORIES}`];
  return [
    { what: `tick of ${SCHEDULES} due schedules, in ms a schedule`, value: ten, limit: 1, detail },
    { what: `a due schedule among ${SCHEDULES} / one alone`, value: ten / one, limit: 1.5, detail },
  ];
}

export async function benchSchedules(): Promise<readonly Measured[]> {
  const root = fs.mkdtempSync(join(tmpdir(), "bench-schedules-"));
  try {
    await fill(join(root, "none"), 0);
    await fill(join(root, "all"), SCHEDULES);
    return [...benchStart(root), ...benchTicks()];
  } finally {
    fs.rmSync(root, { recursive: true });
  }
}
