/**
 * `npm run eval [-- --scripted] [-- name …]`: the evaluation set against a real model (ANTHROPIC_API_KEY, or any
 * compatible endpoint at ANTHROPIC_BASE_URL; LLM_MODEL, LLM_MAX_TOKENS), or against answers that are written down,
 * which proves the harness and says nothing of any model. Exits 0 when everything asked for was solved.
 */
import { DEFAULT_MODEL } from "../../src/contracts/models.ts";
import { scriptedModel } from "../unit/scripted-model.ts";
import { type Endpoint, runTask, type Solved } from "./run-task.ts";
import { TASKS } from "./tasks.ts";

const args = process.argv.slice(2);
const scripted = args.includes("--scripted");
const names = args.filter((arg) => arg !== "--scripted");
const tasks = TASKS.filter(({ name }) => names.length === 0 || names.includes(name));
const { ANTHROPIC_API_KEY: key = "", ANTHROPIC_BASE_URL: base = "", LLM_MODEL, LLM_MAX_TOKENS } = process.env;

const stop = (sentence: string): never => {
  process.stderr.write(`${sentence}\n`);
  process.exit(2);
};

if (tasks.length === 0) stop(`No such task. There are:\n${TASKS.map(({ name }) => `  ${name}`).join("\n")}`);
if (!scripted && key === "" && base === "")
  stop("Set ANTHROPIC_API_KEY, or ANTHROPIC_BASE_URL for another endpoint, or run it with --scripted.");

const real: Endpoint = {
  environment: {
    ...(key === "" ? {} : { ANTHROPIC_API_KEY: key }),
    ...(base === "" ? {} : { ANTHROPIC_BASE_URL: base }),
  },
  model: LLM_MODEL || DEFAULT_MODEL,
  max_tokens: LLM_MAX_TOKENS ? Number(LLM_MAX_TOKENS) : null,
};

async function solve(task: (typeof tasks)[number]): Promise<Solved> {
  if (!scripted) return runTask(task, real);
  const model = await scriptedModel(task.scripted);
  const solved = await runTask(task, { ...real, environment: { ANTHROPIC_BASE_URL: model.url } });
  await model.close();
  return solved;
}

const told = (cents: number | null): string => (cents === null ? "cost unknown" : `${cents.toFixed(1)} cents`);

if (scripted) process.stdout.write("Scripted answers: this proves the harness, not a model.\n");
else process.stdout.write(`${real.model} at ${base || "the provider's own address"}.\n`);
const all: Solved[] = [];
for (const task of tasks) {
  const solved = await solve(task);
  all.push(solved);
  const { wrong, turns, cents } = solved;
  process.stdout.write(
    `${wrong === null ? "solved" : "FAILED"}  ${task.name}  (${turns} turns, ${told(cents)})${wrong === null ? "" : `: ${wrong}`}\n`,
  );
}
const solved = all.filter(({ wrong }) => wrong === null).length;
const turns = all.reduce((sum, one) => sum + one.turns, 0);
const cents = all.reduce<number | null>((sum, one) => (sum === null || one.cents === null ? null : sum + one.cents), 0);
process.stdout.write(
  `\n${solved}/${all.length} solved, ${turns} turns, ${told(cents)}${scripted ? ", all of it scripted" : ""}\n`,
);
process.exit(solved === all.length ? 0 : 1);
