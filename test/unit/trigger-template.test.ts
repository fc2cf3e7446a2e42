import { describe, expect, it } from "vitest";
import { triggersSchema } from "../../src/contracts/automation.ts";
import { CALL_ROOTS, fillTemplate, placeholdersIn, templateMistake } from "../../src/contracts/trigger-template.ts";

const mistakeOf = (job: string) => templateMistake(job, CALL_ROOTS);

describe("placeholders", () => {
  it("are names below body, query and headers; all other braces are text", () => {
    const task =
      "{{body.a-b.0}} {{ query.x }} {{headers}} {{body.a-b.0}} {{ secrets.X }} {{other.x}} {body} {{body.}} {{}}";
    expect(placeholdersIn(task, CALL_ROOTS)).toEqual(["body.a-b.0", "query.x", "headers"]);
  });

  it("stand for own fields of what was sent alone", () => {
    const body: unknown = JSON.parse('{"__proto__": {"x": 1}, "a": [{"b": null}], "c": {"d": 0}, "e": ""}');
    const filled = (name: string) => fillTemplate(`{{${name}}}`, { body, query: {}, headers: {} }, CALL_ROOTS);
    for (const name of [
      "body.__proto__.x",
      "body.a.1",
      "body.a.0.b",
      "body.toString",
      "body.c.d.x",
      "query.hasOwnProperty",
    ])
      expect(filled(name)).toEqual({ ok: false, missing: name });
    expect(filled("body.c.d")).toEqual({ ok: true, values: [{ name: "body.c.d", text: "0" }] });
    expect(filled("body.e")).toEqual({ ok: true, values: [{ name: "body.e", text: "" }] });
    expect(filled("body.a.0")).toEqual({ ok: true, values: [{ name: "body.a.0", text: '{\n "b": null\n}' }] });
  });

  it("are bounded in number, and their values in each and in sum", () => {
    expect(mistakeOf(Array.from({ length: 31 }, (_, at) => `{{body.f${at}}}`).join(""))).toContain("more than 30");
    expect(mistakeOf(`{{body${".a".repeat(11)}}}`)).toContain("more than 10 parts");
    const body = Object.fromEntries("abcd".split("").map((name) => [name, "x".repeat(25_000)]));
    const all = fillTemplate("{{body.a}}{{body.b}}{{body.c}}{{body.d}}", { body }, CALL_ROOTS);
    const lengths = all.ok ? all.values.map(({ text }) => text.split("\n")[0]?.length) : [];
    expect(lengths.slice(0, 2)).toEqual([20_000, 20_000]);
    expect(lengths.slice(2).reduce<number>((sum, one) => sum + (one ?? 0), 0)).toBeLessThanOrEqual(20_000);
  });

  it("never name what every object has, or a header that may hold a secret", () => {
    for (const name of ["body.__proto__", "body.a.constructor", "headers.authorization", "headers.x-hub-signature-256"])
      expect(mistakeOf(`{{${name}}}`)).toContain(name);
    for (const name of ["cookie", "x-gitlab-token", "X-Api-Key", "webhook-signature", "proxy-authorization"])
      expect(mistakeOf(`{{headers.${name}}}`)).toContain("secret");
    expect(mistakeOf("{{headers.x-github-event}} {{body.token}}")).toBeNull();
  });
});

describe("a trigger in a file", () => {
  const problem = (trigger: object): string =>
    triggersSchema
      .safeParse([{ name: "t", actions: [{ job: "Look." }], ...trigger }])
      .error?.issues.map(({ path, message }) => `${path.join(".")} ${message}`)
      .join("; ") ?? "";

  it("says what is wrong with it, and where", () => {
    expect(problem({})).toBe("");
    expect(problem({ actions: [{ type: "command", job: "ls" }] })).toMatch(
      /^0\.actions\.0 is a command, and no command runs/,
    );
    expect(problem({ actions: [{ type: "webhook" }] })).toBe("");
    expect(problem({ actions: [{ type: "webhook", job: "{{headers.cookie}}" }] })).toContain("may hold a secret");
    expect(problem({ actions: [{ job: "a" }, { type: "webhook" }], jobs_per_hour: 1 })).toContain(
      "less than its 2 actions",
    );
    expect(problem({ on: { issue_opened: {}, check_failed: {} }, actions: [{ job: "a" }] })).not.toBe("");
    expect(problem({ on: { issue_opened: null }, actions: [{ job: "{{issue.title}}" }] })).toBe("");
    expect(problem({ on: { check_failed: null }, actions: [{ job: "{{check.nothing}}" }] })).toContain(
      "there is `{{check}}`",
    );
    expect(problem({ actions: [{ type: "agent" }] })).toContain("has no `job`");
    expect(problem({ actions: [{ job: "{{headers.cookie}}" }] })).toContain("may hold a secret");
    expect(problem({ actions: [{ job: "a" }, { job: "b" }], jobs_per_hour: 1 })).toContain("less than its 2 actions");
    expect(problem({ jobs_per_hour: 0 })).toContain("jobs_per_hour");
    expect(problem({ watch_path: "/a b" })).toContain("is a path");
  });

  it("may stand there as an example of anything while it is off", () => {
    expect(problem({ enabled: false, actions: [{ type: "command", job: "ls" }] })).toBe("");
  });
});
