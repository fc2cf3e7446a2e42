/** Routes about keys, webhooks, the audit log, use and budgets of accounts. */
import type { RouteGroup } from "../routing/route-group.ts";
import { accountBudgetRoutes } from "./account-budgets.ts";
import { auditRoute } from "./audit.ts";
import { keyRoutes } from "./keys.ts";
import { ownKeyRoutes } from "./own-key.ts";
import { usageRoute } from "./usage.ts";
import { deliveryRoutes } from "./webhook-deliveries.ts";
import { webhookRoutes } from "./webhooks.ts";

export const adminRoutes: RouteGroup = {
  sections: {
    webhooks: "Receive events of jobs instead of polling.",
    keys: "API keys.",
    audit: "Who did what.",
    budgets: "What the jobs of an account may cost.",
    usage: "What jobs have cost and came to.",
  },
  routes: (services) => [
    ...webhookRoutes(services),
    ...deliveryRoutes(services),
    ...ownKeyRoutes(services),
    ...keyRoutes(services),
    auditRoute(services),
    usageRoute(services),
    ...accountBudgetRoutes(services),
  ],
};
