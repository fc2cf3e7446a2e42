/** The market: senders order work for a price, agents take it, and a wallet pays for it. */
import type { Dialect } from "../dialect.ts";
import { agentRoutes } from "./agents.ts";
import { enforceDeadlines } from "./enforce-deadlines.ts";
import { jobLogs } from "./job-logs.ts";
import { marketJobRoutes } from "./jobs.ts";
import { reviewRoutes } from "./review.ts";
import { NAME, runJob } from "./run.ts";
import { stripeWebhook } from "./stripe-webhook.ts";
import { walletRoutes } from "./wallet.ts";
import { marketWorkRoutes } from "./work.ts";

export const marketDialect: Dialect = {
  name: NAME,
  sections: {
    market: "Order work from any agent for a price, or do it: quote, pay, pull, accept, submit, verify.",
    wallet: "Money: balances, top-ups, and what moved them.",
  },
  routes: (services) => [
    jobLogs(services),
    runJob(services),
    ...marketWorkRoutes(services),
    ...marketJobRoutes(services),
    ...reviewRoutes(services),
    ...agentRoutes(services),
    ...walletRoutes(services),
    stripeWebhook(services),
    enforceDeadlines(services),
  ],
};
