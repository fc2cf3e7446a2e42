/**
 * A dialect is one way of asking for jobs over HTTP: its own routes, requests, answers and view of a job. All dialects
 * ask the same engine, so a job that was made in one can be seen in every other.
 *
 * To add a dialect:
 * 1. Make a folder beside this file whose `dialect.ts` exports one value of this type. What a new job is made of comes
 *    from `rest-draft.ts`, the repository from `which-repository.ts`, access from `src/domain/access.ts`.
 * 2. Name that value in `DIALECTS` of `../api.ts`.
 *
 * Description, error answers, fuzzing and the tests of every route follow from the routes themselves.
 */
import type { RouteGroup } from "../routing/route-group.ts";

export interface Dialect extends RouteGroup {
  /** Stored with each job that it makes, as `origin.dialect`: it must stay the same for as long as such jobs are kept. */
  readonly name: string;
}
