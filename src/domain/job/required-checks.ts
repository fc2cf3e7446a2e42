/** The checks that must exist before a merge: those of the settings and those of the branch's rules. */
import type { Check, Facts, RequiredCheck } from "./facts.ts";
import { type Reason, reason } from "./reason.ts";

/** GitHub itself says which status is the one that a rule asks for; of check runs the App is known. */
const isThis = (check: Check, { name, app_id }: RequiredCheck): boolean =>
  check.name === name && (app_id === null || check.app_id === app_id || (check.app_id === null && check.required));

/** GitHub Actions are the same App everywhere; of others the rules name the number alone. */
const ACTIONS_APP = 15368;

const appName = (app_id: number): string =>
  app_id === ACTIONS_APP ? "GitHub Actions" : `the App with the number ${app_id}`;

function sentenceOf({ name, app_id }: RequiredCheck, { base, checks }: Facts): string {
  const other = checks.some((check) => check.name === name);
  const from = app_id === null ? "" : ` from ${appName(app_id)}`;
  if (other && app_id !== null)
    return `${name} has not reported${from}, which a rule of ${base} names; others do not count`;
  return `${name} has not reported, and a rule of ${base} requires it${from}; let it run, or take it out of that rule`;
}

/**
 * A name that a rule requires, and whose checks GitHub does not count: the rule binds it to another App, which classic
 * protection shows to admins alone. Null: there is none.
 */
export function uncountedCheck({ base, checks, required }: Facts): string | null {
  const found = required.find(({ name, app_id }) => {
    const named = checks.filter((check) => check.name === name);
    return app_id === null && named.length > 0 && named.every((check) => !check.required);
  });
  return found === undefined
    ? null
    : `${found.name} has reported, but GitHub does not count it; a rule of ${base} wants it from another App`;
}

/** Those that have not reported, each in a sentence. A name in the settings means the App that a rule binds it to. */
export function missingChecks(facts: Facts): readonly Reason[] {
  const { checks, required, settings } = facts;
  const unruled = settings.auto_merge.required_checks.filter((name) => !required.some((one) => one.name === name));
  const missing = required.filter((one) => !checks.some((check) => isThis(check, one)));
  return [
    ...unruled
      .filter((name) => !checks.some((check) => !check.ours && check.name === name))
      .map((name) => `${name} has not reported`),
    ...missing.map((one) => sentenceOf(one, facts)),
  ].map((text) => reason("wait", text));
}
