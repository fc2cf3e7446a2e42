#!/usr/bin/env node
/** The command line: `serve`, `doctor`, `keys` and `prune`. Parses and prints; the work is done elsewhere. */
import { Command } from "commander";
import { VERSION } from "../contracts/version.ts";
import { readKeysSettings, readPruneSettings } from "./command-settings.ts";
import { environment } from "./environment.ts";
import { type KeyAdmin, KeysProblem, keyRequest, openKeyAdmin, overlapOf } from "./keys-command.ts";

const program = new Command("journeyman")
  .description("Comment /job <what you want> on an issue and get a merged pull request.")
  .version(VERSION, "-V, --version", "print which version this is")
  .showHelpAfterError("(--help shows what there is)");

program
  .command("serve")
  .description("run the App's server, as npm start does; without APP_ID, the page that makes the App")
  .action(async () => {
    const { serve } = await import("./serve.ts");
    await serve();
  });

program
  .command("doctor [repository]")
  .description("say what keeps jobs of a repository from running or merging, or what is wrong with the server itself")
  .option("--server", "examine this server: credentials, clock, webhooks, permissions, public address, disk")
  .addHelpText(
    "after",
    `
Examples:
  npm run --silent doctor -- octocat/hello-world
  npm run --silent doctor -- --server

A repository is examined by the running server: set API_KEY to a key of it, and PUBLIC_URL (or HOST and PORT) to where
it listens. The server is examined by its settings, whether it runs or not. Ends with 1 where there is a problem.`,
  )
  .action((repository: string | undefined, options: { server?: boolean }) =>
    doctor(repository, options.server === true),
  );

program
  .command("prune")
  .description("delete finished jobs and logs that are older than the settings keep them; a server does so every day")
  .option("--dry-run", "say how many there are, and delete nothing")
  .addHelpText(
    "after",
    `
Examples:
  npm run --silent prune -- --dry-run
  KEEP_LOGS_DAYS=30 npm run --silent prune

Works on DATA_DIR while no server runs on it. KEEP_JOBS_DAYS and KEEP_LOGS_DAYS say how long jobs and logs are kept, 0
for ever. Jobs of the market and jobs that have cost money stay, since the ledger refers to them.`,
  )
  .action(({ dryRun }: { dryRun?: boolean }) => prune(dryRun === true));

const keys = program
  .command("keys")
  .description("create, list, rotate and revoke API keys")
  .addHelpText(
    "after",
    `
Examples:
  npm run --silent keys -- create --account octocat --repository octocat/hello-world
  npm run --silent keys -- list
  npm run --silent keys -- rotate 0123456789ab --overlap 7d
  npm run --silent keys -- revoke 0123456789ab

Works on DATA_DIR itself while no server runs on it. While one does, that server is asked: set API_KEY to its admin
key, and PUBLIC_URL (or HOST and PORT) to where it listens.`,
  );

function fail(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
  process.exitCode = 1;
}

/** Prints findings; an expected refusal is printed as a sentence. */
async function doctor(repository: string | undefined, server: boolean): Promise<void> {
  const { DoctorProblem, findingLines, findingsOnRepository, findingsOnServer } = await import("./doctor-command.ts");
  if (server === (repository !== undefined)) return fail("Name a repository as owner/name, or give --server.");
  try {
    const found = server
      ? await findingsOnServer(process.cwd())
      : await findingsOnRepository(process.cwd(), repository ?? "");
    process.stdout.write(found.length === 0 ? "Nothing is wrong.\n" : `${found.map(findingLines).join("\n")}\n`);
    if (found.some(({ level }) => level === "problem")) process.exitCode = 1;
  } catch (error) {
    if (!(error instanceof DoctorProblem)) throw error;
    fail(error.message);
  }
}

async function prune(dry_run: boolean): Promise<void> {
  const cwd = process.cwd();
  const reading = readPruneSettings(environment(cwd), cwd);
  if (reading.kind === "mistakes") return fail(reading.mistakes.join("\n"));
  const { PruneProblem, pruneFolder } = await import("./prune-command.ts");
  try {
    process.stdout.write(`${await pruneFolder(reading.settings, dry_run)}\n`);
  } catch (error) {
    if (!(error instanceof PruneProblem)) throw error;
    fail(error.message);
  }
}

/** Opens the key manager, uses it and closes it. An expected refusal is printed as a sentence. */
async function withKeyAdmin(work: (keyAdmin: KeyAdmin) => Promise<void>): Promise<void> {
  const cwd = process.cwd();
  const reading = readKeysSettings(environment(cwd), cwd);
  if (reading.kind === "mistakes") return fail(reading.mistakes.join("\n"));
  try {
    const keyAdmin = await openKeyAdmin(reading.settings);
    await work(keyAdmin).finally(() => keyAdmin.close());
  } catch (error) {
    if (!(error instanceof KeysProblem)) throw error;
    fail(error.message);
  }
}

keys
  .command("create")
  .description("create a key; the key alone is printed on stdout, once")
  .requiredOption("--account <name>", "whose jobs the key creates and sees")
  .requiredOption("--repository <owner/name>", 'the repository that the key is for; "*": every one')
  .option("--scopes <list>", "read, write, work, admin, separated by commas (default: read,write,work)")
  .option("--expires <date>", "last valid moment, such as 2030-01-31")
  .action((options: { account: string; repository: string; scopes?: string; expires?: string }) =>
    withKeyAdmin(async (keyAdmin) => {
      const { key, view } = await keyAdmin.create(keyRequest(options));
      process.stdout.write(`${key}\n`);
      process.stderr.write(`Key ${view.id} of account ${view.account}; it is not shown again.\n`);
    }),
  );

keys
  .command("list")
  .description("list the keys: id, first characters, account, repository, scopes, expiry, last use")
  .action(() =>
    withKeyAdmin(async (keyAdmin) => {
      for (const key of await keyAdmin.list()) {
        const facts = [key.id, `${key.hint}…`, key.account, key.repository ?? "any repository", key.scopes.join(",")];
        const times = [`expires ${key.expires_at ?? "never"}`, `used ${key.last_used_at ?? "never"}`];
        process.stdout.write(`${[...facts, ...times].join("  ")}\n`);
      }
    }),
  );

keys
  .command("rotate <id>")
  .description("create a key like this one; the new key alone is printed on stdout, and the old one ends")
  .option("--overlap <time>", "how long the old key still works, such as 0, 30m, 24h or 7d", "24h")
  .action((id: string, options: { overlap: string }) =>
    withKeyAdmin(async (keyAdmin) => {
      const rotated = await keyAdmin.rotate(id, overlapOf(options.overlap));
      if (rotated === null) return fail(`There is no key ${id}; "keys list" shows them.`);
      process.stdout.write(`${rotated.key}\n`);
      process.stderr.write(`Key ${rotated.view.id} replaces ${id}, which works until ${rotated.until}.\n`);
    }),
  );

keys
  .command("revoke <id>")
  .description("revoke a key at once")
  .action((id: string) =>
    withKeyAdmin(async (keyAdmin) => {
      if (await keyAdmin.revoke(id)) process.stderr.write(`Key ${id} is revoked.\n`);
      else fail(`There is no key ${id}; "keys list" shows them.`);
    }),
  );

await program.parseAsync();
