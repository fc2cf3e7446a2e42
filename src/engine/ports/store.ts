/** Everything that a store keeps, as one value. */

import type { AccountLimitsStore } from "./account-budgets.ts";
import type { AccountStore } from "./accounts.ts";
import type { AgentStore } from "./agents.ts";
import type { AttachmentStore } from "./attachments.ts";
import type { AuditLog } from "./audit.ts";
import type { QuoteStore } from "./estimates.ts";
import type { IdempotencyStore } from "./idempotency.ts";
import type { Inbox } from "./inbox.ts";
import type { JobLog } from "./job-log.ts";
import type { JobSignals } from "./job-signals.ts";
import type { JobStore } from "./jobs.ts";
import type { KeyStore } from "./keys.ts";
import type { OutgoingStore } from "./outgoing-deliveries.ts";
import type { RepositoryStore } from "./repositories.ts";
import type { SpendingStore } from "./spending.ts";
import type { SubscriptionStore } from "./subscriptions.ts";
import type { UsageStore } from "./usage.ts";
import type { Wallet } from "./wallet.ts";
import type { WorkQueue } from "./work-queue.ts";

export interface Store {
  readonly jobs: JobStore;
  readonly jobLog: JobLog;
  readonly signals: JobSignals;
  readonly keys: KeyStore;
  readonly accounts: AccountStore;
  readonly accountLimits: AccountLimitsStore;
  readonly repositories: RepositoryStore;
  readonly inbox: Inbox;
  readonly idempotency: IdempotencyStore;
  readonly wallet: Wallet;
  readonly spending: SpendingStore;
  readonly agents: AgentStore;
  readonly quotes: QuoteStore;
  readonly blobs: AttachmentStore;
  readonly subscriptions: SubscriptionStore;
  readonly outgoing: OutgoingStore;
  readonly audit: AuditLog;
  readonly usage: UsageStore;
  readonly queue: WorkQueue;
  /** False after a failed write until the next success; a call tries a write meanwhile. */
  writable(): Promise<boolean>;
  /** Flushes what is in memory and closes files or connections. */
  close(): Promise<void>;
}
