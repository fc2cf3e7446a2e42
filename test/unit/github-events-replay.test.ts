import { createRequire } from "node:module";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import type { TranslatedEvent } from "../../src/domain/job/github-event.ts";
import { translateWebhook } from "../../src/github/events/translate.ts";

const definitions = z
  .array(z.object({ name: z.string(), examples: z.array(z.looseObject({ action: z.string().optional() })) }))
  .parse(createRequire(import.meta.url)("@octokit/webhooks-examples"));

const SELF = { appId: 1, slug: "journeyman" };

/** Every field that might be a branch becomes a job's, so that the listeners are reached and not only the gate. */
const onJobBranch = (value: unknown, key = ""): unknown => {
  if (Array.isArray(value)) return value.map((one) => onJobBranch(one));
  if (typeof value === "string" && key === "head_branch") return "job/ab12cd34";
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).map(([name, one]) => [name, onJobBranch(one, name)] as const);
  return Object.fromEntries(key === "head" ? [...fields, ["ref", "job/ab12cd34"]] : fields);
};

const isAnswer = (answer: TranslatedEvent): boolean =>
  answer.kind === "event" ? answer.event !== null : answer.reason.length > 0;

describe("GitHub's own examples", () => {
  test("there are as many as there should be", () => {
    expect(definitions.length).toBeGreaterThanOrEqual(58);
    expect(definitions.reduce((sum, one) => sum + one.examples.length, 0)).toBeGreaterThanOrEqual(329);
  });

  test.each(definitions.map((one) => [one.name, one.examples] as const))(
    "every %s is an event or ignored with a reason",
    (name, examples) => {
      for (const payload of examples) {
        const installed = { installation: { id: 1 }, ...payload };
        for (const variant of [payload, installed, onJobBranch(installed)]) {
          const before = JSON.stringify(variant);
          expect(
            isAnswer(translateWebhook(name, variant, SELF)),
            JSON.stringify(translateWebhook(name, variant, SELF)),
          ).toBe(true);
          expect(JSON.stringify(variant)).toBe(before);
        }
      }
    },
  );

  test("what they come to is known, so that a listener that falls deaf is noticed", () => {
    const seen = new Set<string>();
    for (const { name, examples } of definitions) {
      for (const payload of examples) {
        const answer = translateWebhook(name, onJobBranch({ installation: { id: 1 }, ...payload }), SELF);
        if (answer.kind === "ignored") continue;
        const { event } = answer;
        const what = "command" in event && "type" in event.command ? event.command.type : event.type;
        seen.add(`${name}${payload.action === undefined ? "" : `.${payload.action}`} → ${what}`);
      }
    }
    expect([...seen].sort()).toMatchInlineSnapshot(`
      [
        "check_run.completed → look",
        "check_suite.completed → look",
        "installation.created → repositories-changed",
        "installation.deleted → uninstalled",
        "installation.new_permissions_accepted → repositories-changed",
        "installation.unsuspend → repositories-changed",
        "installation_repositories.added → repositories-changed",
        "installation_repositories.removed → repositories-changed",
        "issues.labeled → trigger-news",
        "issues.opened → trigger-news",
        "merge_group.checks_requested → queue-tests",
        "pull_request.closed → closed",
        "pull_request.converted_to_draft → look",
        "pull_request.ready_for_review → look",
        "pull_request.reopened → reopened",
        "pull_request.synchronize → head-moved",
        "pull_request_review.dismissed → review-dismissed",
        "pull_request_review.submitted → touched",
        "pull_request_review_thread.resolved → look",
        "pull_request_review_thread.unresolved → look",
        "push → default-branch-moved",
        "release.published → trigger-news",
        "repository.edited → repositories-changed",
        "repository.renamed → repositories-changed",
        "repository.transferred → repositories-changed",
        "workflow_run.completed → ci-run-changed",
        "workflow_run.requested → ci-run-changed",
      ]
    `);
  });

  test("none of their payloads is misread for want of a field, once it names an installation", () => {
    const misread = definitions.flatMap(({ name, examples }) =>
      examples.flatMap((payload) => {
        const answer = translateWebhook(name, { installation: { id: 1 }, ...payload }, SELF);
        const unfit = answer.kind === "ignored" && answer.reason.startsWith("the payload does not fit");
        return unfit ? [`${name}.${payload.action ?? ""}: ${answer.reason}`] : [];
      }),
    );
    expect([...new Set(misread)]).toMatchInlineSnapshot(`[]`);
  });
});

describe("whatever else may come", () => {
  const names = definitions.flatMap(({ name, examples }) => examples.map(({ action }) => ({ name, action })));

  test("no JSON makes it throw", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.jsonValue(),
        fc.dictionary(fc.string(), fc.jsonValue()),
        (event, json, fields) => {
          expect(isAnswer(translateWebhook(event.name, json, SELF))).toBe(true);
          expect(isAnswer(translateWebhook(event.name, { ...fields, ...event }, SELF))).toBe(true);
        },
      ),
    );
  });

  test("no example of GitHub's in which one field is something else makes it throw", () => {
    const examples = definitions.flatMap(({ name, examples }) => examples.map((payload) => ({ name, payload })));
    fc.assert(
      fc.property(fc.constantFrom(...examples), fc.nat(), fc.jsonValue(), ({ name, payload }, at, json) => {
        const broken: unknown = structuredClone(onJobBranch({ installation: { id: 1 }, ...payload }));
        const places: (() => void)[] = [];
        const walk = (value: unknown): void => {
          if (typeof value !== "object" || value === null) return;
          for (const key of Object.keys(value)) {
            places.push(() => Reflect.set(value, key, json));
            walk(Reflect.get(value, key));
          }
        };
        walk(broken);
        places[at % places.length]?.();
        expect(isAnswer(translateWebhook(name, broken, SELF))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
