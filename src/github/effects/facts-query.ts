/** The query for a verdict's facts (github-facts 6.6) and the parsing of its answer. Makes no judgement. */
import * as z from "zod";
import type { CheckState, Facts, RequiredCheck } from "../../domain/job/facts.ts";
import type { JobId } from "../../domain/job/job.ts";
import { head } from "../../text/text.ts";
import type { AppIdentity } from "../client/app-identity.ts";
import { BLOB, blobSchema } from "../client/graphql.ts";
import { CHECK_NAME } from "../render/check.ts";
import { WORKFLOW_PATH } from "./branch-state.ts";
import type { DatedCheck } from "./newest-checks.ts";
import { QUEUE, queueSchema } from "./queue-facts.ts";

const PAGE = 100;
/** Further checks and files are not read; the facts are then marked incomplete. */
export const MAX_LISTED = 300;
const MAX_SUMMARY = 2_000;

/** Takes the variable `number`. */
export const contexts = (after: string): string => `
statusCheckRollup {
  contexts(first: ${PAGE}${after}) {
    pageInfo { hasNextPage endCursor }
    nodes {
      __typename
      ... on CheckRun {
        name status conclusion externalId detailsUrl title summary
        isRequired(pullRequestNumber: $number)
        checkSuite { app { databaseId slug } workflowRun { databaseId event workflow { name } file { path } } }
      }
      ... on StatusContext { context state targetUrl description isRequired(pullRequestNumber: $number) }
    }
  }
}`;

/**
 * A run has a suite from its start, but a check only once a runner takes it, or never if its file is broken
 * (github-facts 2.13, 6.8). So suites are read too.
 */
const SUITES = `
... on Commit {
  checkSuites(first: ${PAGE}) {
    pageInfo { hasNextPage endCursor }
    nodes {
      status conclusion
      checkRuns(first: 1) { totalCount }
      workflowRun { databaseId event url workflow { name } file { path } }
    }
  }
}`;

export const FACTS_QUERY = `
query Facts($owner: String!, $repo: String!, $number: Int!, $head: String!, $settings: String!, $base: String!, $group: String!, $asksGroup: Boolean!, $asksSigned: Boolean!, $checksAfter: String, $filesAfter: String) {
  repository(owner: $owner, name: $repo) {
    autoMergeAllowed
    deleteBranchOnMerge
    settings: object(expression: $settings) { ${BLOB} }
    defaultBranchRef { name }
    base: ref(qualifiedName: $base) { name }
    head: object(expression: $head) { ${SUITES} }
    group: object(expression: $group) @include(if: $asksGroup) { ... on Commit { ${contexts("")} } }
    pullRequest(number: $number) {
      id
      state
      mergedBy { login ... on User { databaseId } }
      mergedAt
      isDraft
      headRefOid
      baseRefName
      baseRef {
        target { oid }
        refUpdateRule { requiredStatusCheckContexts requiresSignatures }
        rules(first: ${PAGE}) {
          nodes { type parameters { ... on RequiredStatusChecksParameters { requiredStatusChecks { context integrationId } } } }
        }
      }
      mergeable
      mergeStateStatus
      reviewDecision
      latestOpinionatedReviews(first: ${PAGE}, writersOnly: true) { nodes { state } }
      autoMergeRequest { enabledAt }
      ${QUEUE}
      commits(last: ${PAGE}) @include(if: $asksSigned) { totalCount nodes { commit { signature { isValid } } } }
      files(first: ${PAGE}, after: $filesAfter) { pageInfo { hasNextPage endCursor } nodes { path changeType } }
      ${contexts(", after: $checksAfter")}
    }
  }
}`;

const page = z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() });

const checkRun = z.object({
  __typename: z.literal("CheckRun"),
  name: z.string(),
  status: z.string(),
  conclusion: z.string().nullable(),
  externalId: z.string().nullish(),
  detailsUrl: z.string().nullish(),
  title: z.string().nullish(),
  summary: z.string().nullish(),
  isRequired: z.boolean(),
  checkSuite: z
    .object({
      app: z.object({ databaseId: z.number().nullable(), slug: z.string() }).nullable(),
      workflowRun: z
        .object({
          databaseId: z.number(),
          event: z.string(),
          workflow: z.object({ name: z.string() }),
          file: z.object({ path: z.string() }).nullish(),
        })
        .nullish(),
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

const suite = z.object({
  status: z.string(),
  conclusion: z.string().nullable(),
  checkRuns: z.object({ totalCount: z.number() }).nullable(),
  workflowRun: z
    .object({
      databaseId: z.number(),
      event: z.string(),
      url: z.string(),
      workflow: z.object({ name: z.string() }),
      file: z.object({ path: z.string() }).nullish(),
    })
    .nullable(),
});

/** What a branch's rules require. Other kinds of rules have no parameters here. */
export const branchRulesSchema = z.object({
  refUpdateRule: z
    .object({
      requiredStatusCheckContexts: z.array(z.string().nullable()).nullish(),
      requiresSignatures: z.boolean().nullish(),
    })
    .nullish(),
  rules: z
    .object({
      nodes: z.array(
        z.object({
          type: z.string().nullish(),
          parameters: z
            .object({
              requiredStatusChecks: z
                .array(z.object({ context: z.string(), integrationId: z.number().nullish() }))
                .optional(),
            })
            .nullish(),
        }),
      ),
    })
    .nullish(),
});

export const rollup = z
  .object({
    contexts: z.object({
      pageInfo: page,
      nodes: z.array(z.discriminatedUnion("__typename", [checkRun, statusContext])),
    }),
  })
  .nullable();

export const factsSchema = z.object({
  repository: z.object({
    autoMergeAllowed: z.boolean(),
    deleteBranchOnMerge: z.boolean(),
    settings: blobSchema,
    defaultBranchRef: z.object({ name: z.string() }).nullish(),
    base: z.object({ name: z.string() }).nullish(),
    head: z.object({ checkSuites: z.object({ pageInfo: page, nodes: z.array(suite) }).nullish() }).nullable(),
    group: z.object({ statusCheckRollup: rollup.optional() }).nullish(),
    pullRequest: z.object({
      id: z.string(),
      state: z.enum(["OPEN", "CLOSED", "MERGED"]),
      mergedBy: z.object({ login: z.string(), databaseId: z.number().nullish() }).nullish(),
      mergedAt: z.iso.datetime({ offset: true }).nullish(),
      isDraft: z.boolean(),
      headRefOid: z.string(),
      baseRefName: z.string(),
      baseRef: branchRulesSchema.extend({ target: z.object({ oid: z.string() }).nullish() }).nullish(),
      mergeable: z.enum(["MERGEABLE", "CONFLICTING", "UNKNOWN"]),
      mergeStateStatus: z.string(),
      /** Null where no review is required, whatever reviewers have said. */
      reviewDecision: z.enum(["APPROVED", "CHANGES_REQUESTED", "REVIEW_REQUIRED"]).nullable(),
      latestOpinionatedReviews: z.object({ nodes: z.array(z.object({ state: z.string() }).nullable()) }).nullish(),
      autoMergeRequest: z.object({ enabledAt: z.string().nullish() }).nullable(),
      ...queueSchema,
      commits: z
        .object({
          totalCount: z.number(),
          nodes: z.array(z.object({ commit: z.object({ signature: z.object({ isValid: z.boolean() }).nullable() }) })),
        })
        .nullish(),
      files: z
        .object({ pageInfo: page, nodes: z.array(z.object({ path: z.string(), changeType: z.string() })) })
        .nullable(),
      statusCheckRollup: rollup,
    }),
  }),
});

export type Suite = z.infer<typeof suite>;
export type FactsAnswer = z.infer<typeof factsSchema>["repository"];
type Context = NonNullable<z.infer<typeof rollup>>["contexts"]["nodes"][number];

/** An unknown state counts as a failure: only an explicit success is green. */
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
    case "CANCELLED":
    case "STALE":
      return "cancelled";
    default:
      return "failure";
  }
}

const few = (...texts: readonly (string | null | undefined)[]): string | null =>
  head(texts.filter((text) => text).join("\n"), MAX_SUMMARY) || null;

/** Our own checks, and those of the workflow that runs jobs: its skipped runs say nothing about the work. */
const isOurs = (check: Extract<Context, { __typename: "CheckRun" }>, self: AppIdentity, job: JobId | null): boolean => {
  const { checkSuite } = check;
  if (checkSuite?.workflowRun?.file?.path.endsWith(WORKFLOW_PATH) === true) return true;
  return self.appId === null
    ? check.name === CHECK_NAME && check.externalId === job
    : checkSuite?.app?.databaseId === self.appId;
};

const UNDATED = { workflow: null, event: null, run: null, whole: false } as const;

/** `job` null: none is known of the commit. */
export function checkOfContext(context: Context, self: AppIdentity, job: JobId | null): DatedCheck {
  const state = stateOf(context);
  if (context.__typename === "StatusContext")
    return {
      ...UNDATED,
      check: {
        name: context.context,
        state,
        required: context.isRequired,
        app_id: null,
        ours: false,
        url: context.targetUrl ?? null,
        summary: few(context.description),
      },
    };
  const run = context.checkSuite?.workflowRun;
  return {
    ...UNDATED,
    ...(run ? { workflow: workflowOf(run), event: run.event, run: run.databaseId } : {}),
    check: {
      name: context.name,
      state,
      required: context.isRequired,
      app_id: context.checkSuite?.app?.databaseId ?? null,
      ...(run ? { run_id: run.databaseId } : {}),
      ours: isOurs(context, self, job),
      url: context.detailsUrl ?? null,
      summary: few(context.title, context.summary),
    },
  };
}

/** Excludes our own check, which would wait for itself. A rule that names the App overrides one that does not. */
export function requiredChecks({ baseRef }: FactsAnswer["pullRequest"]): readonly RequiredCheck[] {
  const ruled = (baseRef?.rules?.nodes ?? []).flatMap(({ parameters }) => parameters?.requiredStatusChecks ?? []);
  const bound = ruled
    .flatMap(({ context, integrationId }) => (integrationId ? [{ name: context, app_id: integrationId }] : []))
    // several rules may say the same
    .filter((one, at, all) => all.findIndex(({ name, app_id }) => name === one.name && app_id === one.app_id) === at);
  const names = [
    ...ruled.map(({ context }) => context),
    ...(baseRef?.refUpdateRule?.requiredStatusCheckContexts ?? []).filter((name) => name !== null),
  ];
  const free = [...new Set(names)].filter((name) => !bound.some((one) => one.name === name));
  return [...bound, ...free.map((name) => ({ name, app_id: null }))].filter(({ name }) => name !== CHECK_NAME);
}

/** Workflow names are not unique; file names are. */
export const workflowOf = (run: {
  readonly workflow: { readonly name: string };
  readonly file?: { readonly path: string } | null | undefined;
}): string => run.file?.path ?? run.workflow.name;

/** More commits than were read count as unsigned. */
export function signaturesOf({ baseRef, commits }: FactsAnswer["pullRequest"]): Facts["signatures"] {
  const ruled = (baseRef?.rules?.nodes ?? []).some(({ type }) => type === "REQUIRED_SIGNATURES");
  const required = ruled || baseRef?.refUpdateRule?.requiresSignatures === true;
  if (!commits) return { required, unsigned: null };
  const signed = commits.nodes.filter(({ commit }) => commit.signature?.isValid === true).length;
  return { required, unsigned: commits.totalCount - signed };
}
