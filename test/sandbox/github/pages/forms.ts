/**
 * Handles the forms and buttons. Anything that REST can do goes to REST's own handlers as the acting user: same
 * permissions, refusals and events. What only the site can do (an App's buttons, “Ready for review”) changes the same
 * model.
 */
import * as z from "zod";
import { hasRole } from "../access.ts";
import { askForCheck, pressButton } from "../checks.ts";
import { notFound, Refusal } from "../errors.ts";
import type { Repository, User } from "../model.ts";
import { markReady } from "../pulls.ts";
import { findRoute, type Reply, type Route } from "../router.ts";
import type { World } from "../world.ts";
import { newFile, newSecret } from "./setting-up.ts";

export interface SubmittedForm {
  readonly world: World;
  readonly routes: readonly Route[];
  readonly repository: Repository;
  readonly user: User;
  readonly form: URLSearchParams;
}

/** Where to go afterwards, below the repository's pages. */
type Work = (submitted: SubmittedForm, ...caught: string[]) => Promise<string>;

async function rest({ world, routes, repository, user }: SubmittedForm, line: string, body?: unknown): Promise<Reply> {
  const [method = "", below = ""] = line.split(" ");
  const path = `/repos/${repository.owner.login}/${repository.name}${below}`;
  const found = findRoute(routes, method, path);
  if (found === undefined) throw notFound();
  const actor = { kind: "user", user } as const;
  const asked = { method, path, params: found.params, query: new URLSearchParams(), accept: "", actor, rateKey: "" };
  return found.route.handle(world, { ...asked, body });
}

/** Browsers send \r\n. */
const text = ({ form }: SubmittedForm, name: string): string => (form.get(name) ?? "").replaceAll("\r\n", "\n").trim();

const opened = z.object({ number: z.number() });

/** Only the site has these actions, and GitHub shows them to people with write access. */
function mustWrite({ repository, user }: SubmittedForm): { readonly user: User; readonly byWorkflowToken: false } {
  if (!hasRole(repository, user.login, "write")) throw new Refusal(403, "Must have push access to repository");
  return { user, byWorkflowToken: false };
}

const checkOf = ({ repository }: SubmittedForm, id: string) => {
  const run = repository.checkRuns.get(Number(id));
  if (run === undefined) throw notFound();
  return run;
};

const home = ({ repository }: SubmittedForm, number: string): string =>
  `${repository.issues.get(Number(number))?.pull ? "pull" : "issues"}/${number}`;

async function openIssue(submitted: SubmittedForm): Promise<string> {
  const label = text(submitted, "label");
  const input = {
    title: text(submitted, "title"),
    body: text(submitted, "body"),
    labels: label === "" ? [] : [label],
  };
  return `issues/${opened.parse((await rest(submitted, "POST /issues", input)).body).number}`;
}

async function submitReview(submitted: SubmittedForm, number: string): Promise<string> {
  const [body, event] = [text(submitted, "body"), text(submitted, "event")];
  if (body === "" && event !== "APPROVE") throw new Refusal(422, "Say in the review what should change.");
  await rest(submitted, `POST /pulls/${number}/reviews`, { body, event });
  return `pull/${number}`;
}

async function press(submitted: SubmittedForm, id: string): Promise<string> {
  const cause = mustWrite(submitted);
  if (!pressButton(submitted.world, submitted.repository, checkOf(submitted, id), text(submitted, "identifier"), cause))
    throw new Refusal(422, "This check run does not show that button any more.");
  return `runs/${id}?told`;
}

async function rerequest(submitted: SubmittedForm, id: string): Promise<string> {
  const cause = mustWrite(submitted);
  if (!askForCheck(submitted.world, submitted.repository, checkOf(submitted, id), cause))
    throw new Refusal(422, "A workflow's check is run again with its run.");
  return `runs/${id}?told`;
}

async function ready(submitted: SubmittedForm, number: string): Promise<string> {
  const cause = mustWrite(submitted);
  const issue = submitted.world.state.pull(submitted.repository, Number(number));
  if (issue === undefined) throw notFound();
  markReady(submitted.world, submitted.repository, issue, cause);
  return `pull/${number}`;
}

/** Performs one REST request and returns the page to go to. */
const over =
  (
    order: (submitted: SubmittedForm, caught: string) => readonly [line: string, body?: unknown],
    to: (submitted: SubmittedForm, caught: string) => string,
  ): Work =>
  async (submitted, caught = "") => {
    await rest(submitted, ...order(submitted, caught));
    return to(submitted, caught);
  };

const FORMS: readonly (readonly [RegExp, Work])[] = [
  [/^issues$/, openIssue],
  [
    /^issues\/(\d+)\/comments$/,
    over((submitted, number) => [`POST /issues/${number}/comments`, { body: text(submitted, "body") }], home),
  ],
  [
    /^issues\/(\d+)\/state$/,
    over((submitted, number) => [`PATCH /issues/${number}`, { state: text(submitted, "state") }], home),
  ],
  [
    /^issues\/(\d+)\/labels$/,
    over((submitted, number) => [`POST /issues/${number}/labels`, [text(submitted, "name")]], home),
  ],
  [
    /^issues\/(\d+)\/labels\/remove$/,
    over(
      (submitted, number) => [`DELETE /issues/${number}/labels/${encodeURIComponent(text(submitted, "name"))}`],
      home,
    ),
  ],
  [
    /^pull\/(\d+)\/merge$/,
    over(
      (submitted, number) => [
        `PUT /pulls/${number}/merge`,
        { merge_method: text(submitted, "method"), sha: text(submitted, "sha") || undefined },
      ],
      home,
    ),
  ],
  [/^pull\/(\d+)\/reviews$/, submitReview],
  [/^pull\/(\d+)\/ready$/, ready],
  [
    /^create\/(.+)$/,
    (submitted, branch = "") =>
      newFile(submitted, branch, (path, body) => rest(submitted, `PUT /contents/${path}`, body)),
  ],
  [/^settings\/secrets\/actions$/, newSecret],
  [/^runs\/(\d+)\/action$/, press],
  [/^runs\/(\d+)\/rerequest$/, rerequest],
  [
    /^actions\/runs\/(\d+)\/cancel$/,
    over(
      (_, id) => [`POST /actions/runs/${id}/cancel`],
      (_, id) => `actions/runs/${id}`,
    ),
  ],
  [
    /^actions\/runs\/(\d+)\/rerun$/,
    over(
      (_, id) => [`POST /actions/runs/${id}/rerun`],
      (_, id) => `actions/runs/${id}`,
    ),
  ],
];

/** Performs the form at this path; returns the next page, or throws a refusal. */
export async function submit(submitted: SubmittedForm, path: string): Promise<string> {
  for (const [pattern, work] of FORMS) {
    const caught = pattern.exec(path);
    if (caught !== null) return work(submitted, ...caught.slice(1));
  }
  throw notFound();
}
