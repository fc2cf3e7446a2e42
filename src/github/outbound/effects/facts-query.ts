/** The one query behind a verdict (github-facts 6.6), and the parsing of its answer. No judgement. */
import { z } from "zod";
import type { Check, CheckState } from "../../../job/facts.ts";
import { BLOB, blobSchema } from "../graphql.ts";
import { WORKFLOW_PATH } from "./branch-state.ts";
import type { Self } from "./task.ts";

const PAGE = 100;
/** Checks and files beyond this are not read: the facts then say that they are not complete. */
export const MAX_LISTED = 300;
const MAX_SUMMARY = 2_000;

const CONTEXTS = `
statusCheckRollup {
  contexts(first: ${PAGE}, after: $checksAfter) {
    pageInfo { hasNextPage endCursor }
    nodes {
      __typename
      ... on CheckRun {
        name status conclusion detailsUrl title summary
        isRequired(pullRequestNumber: $number)
        checkSuite { app { databaseId slug } workflowRun { file { path } } }
      }
      ... on StatusContext { context state targetUrl description isRequired(pullRequestNumber: $number) }
    }
  }
}`;

export const FACTS_QUERY = `
query Facts($owner: String!, $repo: String!, $number: Int!, $settings: String!, $checksAfter: String, $filesAfter: String) {
  repository(owner: $owner, name: $repo) {
    autoMergeAllowed
    deleteBranchOnMerge
    settings: object(expression: $settings) { ${BLOB} }
    pullRequest(number: $number) {
      state
      isDraft
      headRefOid
      mergeable
      mergeStateStatus
      reviewDecision
      autoMergeRequest { enabledAt }
      files(first: ${PAGE}, after: $filesAfter) { pageInfo { hasNextPage endCursor } nodes { path } }
      ${CONTEXTS}
    }
  }
}`;

const page = z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() });

const checkRun = z.object({
  __typename: z.literal("CheckRun"),
  name: z.string(),
  status: z.string(),
  conclusion: z.string().nullable(),
  detailsUrl: z.string().nullish(),
  title: z.string().nullish(),
  summary: z.string().nullish(),
  isRequired: z.boolean(),
  checkSuite: z
    .object({
      app: z.object({ databaseId: z.number().nullable(), slug: z.string() }).nullable(),
      workflowRun: z.object({ file: z.object({ path: z.string() }).nullish() }).nullish(),
    })
    .nullish(),
});

const statusContext = z.object({
  __typename: z.literal("StatusContext"),
  context: z.string(),
  state: z.string(),
  targetUrl: z.string().nullish(),
  description: z.string().nullish(),
  isRequired: z.boolean(),
});

export const factsSchema = z.object({
  repository: z.object({
    autoMergeAllowed: z.boolean(),
    deleteBranchOnMerge: z.boolean(),
    settings: blobSchema,
    pullRequest: z.object({
      state: z.enum(["OPEN", "CLOSED", "MERGED"]),
      isDraft: z.boolean(),
      headRefOid: z.string(),
      mergeable: z.enum(["MERGEABLE", "CONFLICTING", "UNKNOWN"]),
      mergeStateStatus: z.string(),
      reviewDecision: z.enum(["APPROVED", "CHANGES_REQUESTED", "REVIEW_REQUIRED"]).nullable(),
      autoMergeRequest: z.object({ enabledAt: z.string().nullish() }).nullable(),
      files: z.object({ pageInfo: page, nodes: z.array(z.object({ path: z.string() })) }).nullable(),
      statusCheckRollup: z
        .object({
          contexts: z.object({
            pageInfo: page,
            nodes: z.array(z.discriminatedUnion("__typename", [checkRun, statusContext])),
          }),
        })
        .nullable(),
    }),
  }),
});

export type FactsAnswer = z.infer<typeof factsSchema>["repository"];
type Context = NonNullable<FactsAnswer["pullRequest"]["statusCheckRollup"]>["contexts"]["nodes"][number];

/** Anything that GitHub may add one day counts as a failure: green must be said in so many words. */
function stateOf(context: Context): CheckState {
  if (context.__typename === "StatusContext") {
    if (context.state === "SUCCESS") return "success";
    return context.state === "PENDING" || context.state === "EXPECTED" ? "pending" : "failure";
  }
  if (context.status !== "COMPLETED" || context.conclusion === null) return "pending";
  switch (context.conclusion) {
    case "SUCCESS":
      return "success";
    case "NEUTRAL":
      return "neutral";
    case "SKIPPED":
      return "skipped";
    case "ACTION_REQUIRED":
      return "action_required";
    default:
      return "failure";
  }
}

const few = (...texts: readonly (string | null | undefined)[]): string | null =>
  texts
    .filter((text) => text)
    .join("\n")
    .slice(0, MAX_SUMMARY) || null;

/** Ours, or of the workflow that runs our jobs: its guarded-off runs end as skipped and say nothing of the work. */
const isOurs = ({ checkSuite }: Extract<Context, { __typename: "CheckRun" }>, self: Self): boolean =>
  checkSuite?.app?.databaseId === self.appId || checkSuite?.workflowRun?.file?.path.endsWith(WORKFLOW_PATH) === true;

export function checkOfContext(context: Context, self: Self): Check {
  const state = stateOf(context);
  if (context.__typename === "StatusContext")
    return {
      name: context.context,
      state,
      required: context.isRequired,
      ours: false,
      url: context.targetUrl ?? null,
      summary: few(context.description),
    };
  return {
    name: context.name,
    state,
    required: context.isRequired,
    ours: isOurs(context, self),
    url: context.detailsUrl ?? null,
    summary: few(context.title, context.summary),
  };
}
