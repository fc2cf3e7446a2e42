/** A group of routes, with its sections in the API's description. */
import type { ApiServices } from "../services.ts";
import type { Route } from "./route.ts";

export interface RouteGroup {
  /** A sentence about each section, by its name: the `group` of a route names one of them. */
  readonly sections: Readonly<Record<string, string>>;
  readonly routes: (services: ApiServices) => readonly Route[];
}
