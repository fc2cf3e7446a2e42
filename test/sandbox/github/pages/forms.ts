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

export interface Desk {
  readonly world: World;
  readonly routes: readonly Route[];
  readonly repository: Repository;
  readonly user: User;
  readonly form: URLSearchParams;
}

/** Where to go afterwards, below the repository's pages. */
type Work = (githubClient: Desk, ...caught: string[]) => Promise<string>;

async function rest({ world, routes, repository, user }: Desk, line: string, body?: unknown): Promise<Reply> {
  const [method = "", below = ""] = line.split(" ");
  const path = `/repos/${repository.owner.login}/${repository.name}${below}`;
  const found = findRoute(routes, method, path);
  if (found === undefined) throw notFound();
  const actor = { kind: "user", user } as const;
  const asked = { method, path, params: found.params, query: new URLSearchParams(), accept: "", actor, rateKey: "" };
  return found.route.handle(world, { ...asked, body });
}

/** Browsers send \r\n. */
const text = ({ form }: Desk, name: string): string => (form.get(name) ?? "").replaceAll("\r\n", "\n").trim();

const opened = z.object({ number: z.number() });

/** Only the site has these, and GitHub shows them to those who may write. */
function mustWrite({ repository, user }: Desk): { readonly user: User; readonly byWorkflowToken: false } {
  if (!hasRole(repository, user.login, "write")) throw new Refusal(403, "Must have push access to repository");
  return { user, byWorkflowToken: false };
}

const checkOf = ({ repository }: Desk, id: string) => {
  const run = repository.checkRuns.get(Number(id));
  if (run === undefined) throw notFound();
  return run;
};

const home = ({ repository }: Desk, number: string): string =>
  `${repository.issues.get(Number(number))?.pull ? "pull" : "issues"}/${number}`;

async function openIssue(githubClient: Desk): Promise<string> {
  const label = text(githubClient, "label");
  const input = {
    title: text(githubClient, "title"),
    body: text(githubClient, "body"),
    labels: label === "" ? [] : [label],
  };
  return `issues/${opened.parse((await rest(githubClient, "POST /issues", input)).body).number}`;
}

async function submitReview(githubClient: Desk, number: string): Promise<string> {
  const [body, event] = [text(githubClient, "body"), text(githubClient, "event")];
  if (body === "" && event !== "APPROVE") throw new Refusal(422, "Say in the review what should change.");
  await rest(githubClient, `POST /pulls/${number}/reviews`, { body, event });
  return `pull/${number}`;
}

async function press(githubClient: Desk, id: string): Promise<string> {
  const cause = mustWrite(githubClient);
  if (
    !pressButton(
      githubClient.world,
      githubClient.repository,
      checkOf(githubClient, id),
      text(githubClient, "identifier"),
      cause,
    )
  )
    throw new Refusal(422, "This check run does not show that button any more.");
  return `runs/${id}?told`;
}

async function rerequest(githubClient: Desk, id: string): Promise<string> {
  const cause = mustWrite(githubClient);
  if (!askForCheck(githubClient.world, githubClient.repository, checkOf(githubClient, id), cause))
    throw new Refusal(422, "A workflow's check is run again with its run.");
  return `runs/${id}?told`;
}

async function ready(githubClient: Desk, number: string): Promise<string> {
  const cause = mustWrite(githubClient);
  const issue = githubClient.world.state.pull(githubClient.repository, Number(number));
  if (issue === undefined) throw notFound();
  markReady(githubClient.world, githubClient.repository, issue, cause);
  return `pull/${number}`;
}

/** Does one thing over REST and goes to a page. */
const over =
  (
    order: (githubClient: Desk, caught: string) => readonly [line: string, body?: unknown],
    to: (githubClient: Desk, caught: string) => string,
  ): Work =>
  async (githubClient, caught = "") => {
    await rest(githubClient, ...order(githubClient, caught));
    return to(githubClient, caught);
  };

const FORMS: readonly (readonly [RegExp, Work])[] = [
  [/^issues$/, openIssue],
  [
    /^issues\/(\d+)\/comments$/,
    over((githubClient, number) => [`POST /issues/${number}/comments`, { body: text(githubClient, "body") }], home),
  ],
  [
    /^issues\/(\d+)\/state$/,
    over((githubClient, number) => [`PATCH /issues/${number}`, { state: text(githubClient, "state") }], home),
  ],
  [
    /^issues\/(\d+)\/labels$/,
    over((githubClient, number) => [`POST /issues/${number}/labels`, [text(githubClient, "name")]], home),
  ],
  [
    /^issues\/(\d+)\/labels\/remove$/,
    over(
      (githubClient, number) => [`DELETE /issues/${number}/labels/${encodeURIComponent(text(githubClient, "name"))}`],
      home,
    ),
  ],
  [
    /^pull\/(\d+)\/merge$/,
    over(
      (githubClient, number) => [
        `PUT /pulls/${number}/merge`,
        { merge_method: text(githubClient, "method"), sha: text(githubClient, "sha") || undefined },
      ],
      home,
    ),
  ],
  [/^pull\/(\d+)\/reviews$/, submitReview],
  [/^pull\/(\d+)\/ready$/, ready],
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

/** Does what the form at this path is for; answers the next page, or throws a refusal. */
export async function submit(githubClient: Desk, path: string): Promise<string> {
  for (const [pattern, work] of FORMS) {
    const caught = pattern.exec(path);
    if (caught !== null) return work(githubClient, ...caught.slice(1));
  }
  throw notFound();
}
