/** All REST routes in the order in which they are tried. */

import type { Limits } from "./limits.ts";
import { actionRoutes } from "./rest-actions.ts";
import { appRoutes } from "./rest-app.ts";
import { checkRoutes } from "./rest-checks.ts";
import { commitRoutes, contentRoutes } from "./rest-contents.ts";
import { gitRoutes } from "./rest-git.ts";
import { issueRoutes } from "./rest-issues.ts";
import { pullRoutes } from "./rest-pulls.ts";
import { baseRoutes, repositoryRoutes } from "./rest-repos.ts";
import { reviewRoutes } from "./rest-reviews.ts";
import { triageRoutes } from "./rest-triage.ts";
import { ok, type Route, route } from "./router.ts";
import { updateRoutes } from "./update-branch.ts";

export const allRoutes = (limits: Limits): readonly Route[] => [
  ...baseRoutes,
  route("GET /rate_limit", (_, request) => ok(limits.status(request.rateKey))),
  ...appRoutes,
  ...repositoryRoutes,
  ...gitRoutes,
  ...contentRoutes,
  ...issueRoutes,
  ...checkRoutes,
  ...pullRoutes,
  ...updateRoutes,
  ...reviewRoutes,
  ...triageRoutes,
  ...actionRoutes,
  ...commitRoutes,
];
