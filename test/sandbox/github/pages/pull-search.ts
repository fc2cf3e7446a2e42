/** GitHub's list of pull requests across repositories, by the few words of a search that the App's pages use. */
import { html } from "../../../../src/text/html.ts";
import { hasRole } from "../access.ts";
import { fullName, type User } from "../model.ts";
import type { World } from "../world.ts";

export const PULLS = "/pulls";

/** The open ones of this author and branch that the user may see. */
export function pullSearch(world: World, query: string, user: User | undefined) {
  const author = /(?:^| )author:app\/(\S+)/.exec(query)?.[1];
  const head = /(?:^| )head:(\S+)/.exec(query)?.[1];
  const rows = [...world.state.repositories.values()]
    .filter((one) => !one.private || (user !== undefined && hasRole(one, user.login, "read")))
    .flatMap((repository) =>
      world.state
        .pulls(repository)
        .filter(({ state, user: by }) => state === "open" && by.login === `${author}[bot]`)
        .filter(({ pull }) => pull.headRef === head)
        .map(
          ({ number, title }) =>
            html`<li><a class="subject" href="/${fullName(repository)}/pull/${number}">${fullName(repository)} ${title}</a></li>`,
        ),
    );
  return html`<h1>Pull requests</h1><p class="dim">${query}</p><div class="box"><ul class="rows">${rows}</ul></div>`;
}
