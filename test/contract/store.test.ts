/** Runs the contract of stores against every store. */
import { describeAccountLimits } from "./store/account-limits.ts";
import { describeAudit } from "./store/audit.ts";
import { describeCommits, describeEffects } from "./store/commits.ts";
import { describeLists, describeLookups } from "./store/finding.ts";
import { describeGuards } from "./store/guards.ts";
import { describeJobLog } from "./store/job-log.ts";
import { lowdbPlace } from "./store/lowdb-place.ts";
import { describeMarketMoney, describeMarketRooms } from "./store/market-records.ts";
import { describeMoney } from "./store/money.ts";
import { describeOutgoing } from "./store/outgoing.ts";
import { describePlaces } from "./store/places.ts";
import { describePruning } from "./store/pruning.ts";
import { describeQueue } from "./store/queue.ts";
import { describeAccounts, describeInbox, describeKeys, describeRepositories } from "./store/records.ts";
import { describeIdempotency } from "./store/repeats.ts";
import type { Engine } from "./store/sample.ts";
import { describeSignals } from "./store/signals.ts";
import { describeSpending } from "./store/spending.ts";
import { describeSubscriptions } from "./store/subscriptions.ts";

const lowdb: Engine = { name: "lowdb", place: async () => lowdbPlace() };

for (const engine of [lowdb]) {
  describeCommits(engine);
  describeEffects(engine);
  describeGuards(engine);
  describeSignals(engine);
  describeJobLog(engine);
  describeLists(engine);
  describeLookups(engine);
  describePlaces(engine);
  describePruning(engine);
  describeMoney(engine);
  describeSpending(engine);
  describeMarketMoney(engine);
  describeMarketRooms(engine);
  describeKeys(engine);
  describeAccounts(engine);
  describeAccountLimits(engine);
  describeRepositories(engine);
  describeInbox(engine);
  describeQueue(engine);
  describeIdempotency(engine);
  describeSubscriptions(engine);
  describeOutgoing(engine);
  describeAudit(engine);
}
