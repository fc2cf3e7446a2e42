/** Routes about repositories. */
import type { RouteGroup } from "../routing/route-group.ts";
import { healthRoute } from "./health.ts";

export const repositoryRoutes: RouteGroup = {
  sections: { repositories: "Whether jobs of a repository can run and merge." },
  routes: (services) => [healthRoute(services)],
};
