/** A page request, as the renderers see it. */

import type { Html } from "../../../../src/text/html.ts";
import type { Repository } from "../model.ts";
import type { World } from "../world.ts";
import type { Person } from "./acting.ts";
import type { Tab } from "./layout.ts";

export interface Visit {
  readonly world: World;
  readonly repository: Repository;
  /** Path of the repository's pages, such as `/octo/demo`. */
  readonly base: string;
  readonly acting: Person;
  readonly query: URLSearchParams;
  /** The captured groups of the page's pattern. */
  readonly rest: readonly string[];
}

export interface Page {
  readonly title: string;
  readonly tab: Tab;
  readonly body: Html;
}

/** A page, a path to redirect to, or nothing. */
export type Render = (visit: Visit) => Page | string | undefined | Promise<Page | undefined>;
