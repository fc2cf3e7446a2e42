/**
 * Opens the store in a folder: `jobs/`, `repositories/`, `inbox/`, `idempotency/`, `audit/`, `subscriptions/`,
 * `outgoing/`, `wallet/`, `accounts/`, `agents/`, `quotes/`, `parcels/`, `usage/`, `keys.json`, `account-budgets.json` and the lock that keeps others off.
 */
import fs from "node:fs";
import { join, resolve } from "node:path";
import { DELIVERIES_KEPT_DAYS } from "../../contracts/retention.ts";
import type { Clock } from "../../engine/ports/clock.ts";
import type { Store } from "../../engine/ports/store.ts";
import { InProcessSignals } from "../in-process-signals.ts";
import { LowdbAccountLimits } from "./account-limits.ts";
import { JournalAccounts } from "./accounts.ts";
import { LowdbAgents } from "./agents.ts";
import { FileAttachments } from "./attachments.ts";
import { JournalAudit } from "./audit.ts";
import { type FileSystem, Folder } from "./disk.ts";
import { JournalIdempotency } from "./idempotency.ts";
import { InProcessQueue } from "./in-process-queue.ts";
import { JournalInbox } from "./inbox.ts";
import { FileJobLog } from "./job-log.ts";
import { LowdbJobs } from "./jobs.ts";
import { LowdbKeys } from "./keys.ts";
import { LedgerIndex } from "./ledger.ts";
import { lockFolder } from "./lock.ts";
import { JournalOutgoing } from "./outgoing.ts";
import { LowdbQuotes } from "./quotes.ts";
import { LowdbRepositories } from "./repositories.ts";
import { LowdbSpending } from "./spending.ts";
import { LowdbSubscriptions } from "./subscriptions.ts";
import { JournalUsage } from "./usage.ts";
import { JournalWallet } from "./wallet.ts";
import { watchedDisk } from "./watched-disk.ts";

export interface LowdbOptions {
  readonly dir: string;
  readonly now: () => number;
  /** Missing: nobody works on this store. */
  readonly at?: Clock["at"];
  /** How long finished webhook deliveries are kept, in days; missing: the default. */
  readonly deliveries_kept_days?: number;
  /** Defaults to `node:fs`. */
  readonly fileSystem?: FileSystem;
}

const NEVER: Clock["at"] = () => () => {};

function openRooms(dir: string, options: LowdbOptions) {
  const { now, at = NEVER, fileSystem: given = fs, deliveries_kept_days = DELIVERIES_KEPT_DAYS } = options;
  const disk = watchedDisk(given, dir, now);
  const { fileSystem } = disk;
  const root = new Folder(fileSystem, dir);
  const jobs = new Folder(fileSystem, join(dir, "jobs"));
  const repositories = new Folder(fileSystem, join(dir, "repositories"));
  const inbox = new Folder(fileSystem, join(dir, "inbox"));
  const idempotency = new Folder(fileSystem, join(dir, "idempotency"));
  const audit = new Folder(fileSystem, join(dir, "audit"));
  const subscriptions = new Folder(fileSystem, join(dir, "subscriptions"));
  const outgoing = new Folder(fileSystem, join(dir, "outgoing"));
  const wallet = new Folder(fileSystem, join(dir, "wallet"));
  const accounts = new Folder(fileSystem, join(dir, "accounts"));
  const agents = new Folder(fileSystem, join(dir, "agents"));
  const quotes = new Folder(fileSystem, join(dir, "quotes"));
  const blobs = new Folder(fileSystem, join(dir, "parcels"));
  const usage = new Folder(fileSystem, join(dir, "usage"));
  const spent = new Folder(fileSystem, join(dir, "spending"));
  const books = new LedgerIndex();
  const spending = new LowdbSpending(spent, now);
  const used = new JournalUsage(usage, now);
  const signals = new InProcessSignals();
  const jobLog = new FileJobLog(jobs, signals);
  root.flush();
  const queue = new InProcessQueue({ now, at }, () => [
    ...[...rooms.jobs.tasks(), ...rooms.repositories.tasks(), ...rooms.inbox.tasks()],
  ]);
  const market = [wallet, accounts, agents, quotes, blobs];
  const rooms = {
    disk,
    queue,
    folders: [root, jobs, repositories, inbox, idempotency, audit, subscriptions, outgoing, usage, spent, ...market],
    jobs: new LowdbJobs(jobs, { now, books, spending, usage: used, queue, signals, logs: jobLog }),
    ...{ jobLog, signals },
    spending,
    keys: new LowdbKeys(root),
    accountLimits: new LowdbAccountLimits(root),
    accounts: new JournalAccounts(accounts),
    repositories: new LowdbRepositories(repositories, queue),
    inbox: new JournalInbox(inbox, now, queue),
    idempotency: new JournalIdempotency(idempotency, now),
    wallet: new JournalWallet(wallet, books),
    agents: new LowdbAgents(agents),
    quotes: new LowdbQuotes(quotes, now),
    blobs: new FileAttachments(blobs),
    subscriptions: new LowdbSubscriptions(subscriptions),
    outgoing: new JournalOutgoing(outgoing, now, deliveries_kept_days),
    audit: new JournalAudit(audit, now),
    usage: used,
  };
  return rooms;
}

/**
 * Resolves once everything is loaded. Rejects with a sentence when another process uses the directory or a file is
 * damaged.
 */
export async function openLowdbStore(options: LowdbOptions): Promise<Store> {
  const dir = resolve(options.dir);
  (options.fileSystem ?? fs).mkdirSync(dir, { recursive: true, mode: 0o700 });
  const lock = await lockFolder(dir);
  try {
    const { disk, folders, ...rooms } = openRooms(dir, options);
    const close = async () => {
      try {
        rooms.keys.flush();
        await rooms.inbox.close();
        await rooms.idempotency.close();
        await rooms.wallet.close();
        await rooms.accounts.close();
        await rooms.audit.close();
        await rooms.outgoing.close();
        await rooms.usage.close();
      } finally {
        for (const folder of folders) folder.close();
        await lock.release();
      }
    };
    const writable = async () => folders.every(({ usable }) => usable) && disk.writable();
    return { ...rooms, writable, close };
  } catch (error) {
    await lock.release();
    throw error;
  }
}
