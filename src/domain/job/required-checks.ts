/** The checks that must exist before a merge: those of the settings and those of the branch's rules. */
import type { Check, Facts, RequiredCheck } from "./facts.ts";
import { type Reason, reason } from "./reason.ts";

/** GitHub itself says which status is the one that a rule asks for; of check runs the App is known. */
const isThis = (check: Check, { name, app_id }: RequiredCheck): boolean =>
  check.name === name && (app_id === null || check.app_id === app_id || (check.app_id === null && check.required));

function sentenceOf({ name, app_id }: RequiredCheck, { base, checks }: Facts): string {
  const other = checks.some((check) => check.name === name);
  if (other)
    return `${name} has not reported from the App that a rule of ${base} names (${app_id}); others do not count`;
  return `${name} has not reported, and a rule of ${base} requires it; let it run, or take it out of that rule`;
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
