/**
 * GraphQL: the requirements of a branch's rules. A protected branch reports them as a classic rule and as a ruleset.
 */
import { ACTIONS_SLUG } from "./checks.ts";
import { connection } from "./graphql-connection.ts";
import type { GraphqlContext } from "./graphql-context.ts";
import type { Repository } from "./model.ts";
import { wantsSignatures } from "./signatures.ts";
import type { World } from "./world.ts";

/** GitHub Actions has the same id everywhere; other Apps of the sandbox get one from their name. */
export function appIdOf(world: World, slug: string): number {
  if (slug === world.appSlug) return world.appId;
  return slug === ACTIONS_SLUG
    ? 15368
    : 900_000 + [...slug].reduce((sum, letter) => sum + (letter.codePointAt(0) ?? 0), 0);
}

/** A branch's rules as seen by those who may not read its protection. */
export function rulesOf({ world }: GraphqlContext, repository: Repository, branch: string) {
  const protection = repository.protections.get(branch);
  const requiresSignatures = wantsSignatures(repository, branch);
  const contexts = protection?.requiredChecks ?? [];
  const checks = contexts.map((context) => {
    const app = protection?.checkApps[context];
    return { context, integrationId: app === undefined ? null : appIdOf(world, app) };
  });
  const rule = (type: string, parameters: object | null) => ({
    ...{ __typename: "RepositoryRule", id: `RR_${branch}_${type}`, type, parameters },
  });
  const status = rule("REQUIRED_STATUS_CHECKS", {
    __typename: "RequiredStatusChecksParameters",
    requiredStatusChecks: checks,
    strictRequiredStatusChecksPolicy: protection?.strict ?? false,
  });
  const rules = [
    ...(checks.length === 0 || protection?.classic ? [] : [status]),
    ...(requiresSignatures ? [rule("REQUIRED_SIGNATURES", null)] : []),
    ...(protection?.mergeQueue ? [rule("MERGE_QUEUE", null)] : []),
  ];
  return {
    refUpdateRule:
      protection || requiresSignatures
        ? {
            __typename: "RefUpdateRule",
            requiredStatusCheckContexts: contexts,
            requiredApprovingReviewCount: protection?.requiredReviews ?? 0,
            requiresSignatures,
          }
        : undefined,
    rules: (args: unknown) => connection("rules", rules, args),
  };
}
