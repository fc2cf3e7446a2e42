/** Routes about triggers. */
import type { RouteGroup } from "../routing/route-group.ts";
import { callTriggerRoute } from "./call-trigger.ts";
import { ownTriggerRoutes } from "./own-triggers.ts";

export const triggerRoutes: RouteGroup = {
  sections: { triggers: "Start what a repository's triggers ask for, from outside." },
  routes: (services) => [callTriggerRoute(services), ...ownTriggerRoutes(services)],
};
