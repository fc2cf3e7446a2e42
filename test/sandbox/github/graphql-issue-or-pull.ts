/** GraphQL: issue or pull request, whichever has the number. */
import * as z from "zod";
import { Refusal } from "./errors.ts";
import { type GraphqlContext, mustHave } from "./graphql-context.ts";
import { issueObject } from "./graphql-issues.ts";
import { pullObject } from "./graphql-pulls.ts";
import type { Repository } from "./model.ts";
import { hasPull } from "./state.ts";

const numbered = z.looseObject({ number: z.number() });

export const issueOrPull = (context: GraphqlContext, repository: Repository) => ({
  issueOrPullRequest: (args: unknown) => {
    const { number } = numbered.parse(args);
    const found = repository.issues.get(number);
    if (!found) throw new Refusal(404, `Could not resolve to an issue or pull request with the number of ${number}.`);
    mustHave(context, repository, hasPull(found) ? "pull_requests:read" : "issues:read");
    return hasPull(found) ? pullObject(context, repository, found) : issueObject(context, repository, found);
  },
});
