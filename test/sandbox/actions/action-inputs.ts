/** Computes an action's inputs, from its step and the defaults of action.yml, and passes them to its process. */
import type { ActionFile } from "./action-file.ts";
import { type contextOf, fill } from "./expressions.ts";
import type { JobLog } from "./log.ts";

type Context = ReturnType<typeof contextOf>;

/** Input names are case-insensitive. */
const key = (name: string): string => name.toLowerCase();

/** Evaluated again for each stage, including secrets, since a token may have changed. */
export function actionInputs(
  given: Readonly<Record<string, string>>,
  { inputs }: ActionFile,
  context: Context,
): Record<string, string> {
  const filled = Object.entries(given).map(([name, text]) => [name, fill(text, "step", context)] as const);
  const named = new Set(filled.map(([name]) => key(name)));
  const defaults = Object.entries(inputs)
    .filter(([name]) => !named.has(key(name)))
    .map(([name, input]) => [name, fill(input.default ?? "", "action.input", context)] as const);
  return Object.fromEntries([...filled, ...defaults]);
}

export function warnOfInputs(given: Readonly<Record<string, string>>, { inputs }: ActionFile, log: JobLog): void {
  const declared = new Map(Object.entries(inputs).map(([name, input]) => [key(name), input]));
  const unexpected = Object.keys(given).filter((name) => !declared.has(key(name)));
  for (const name of Object.keys(given)) {
    const message = declared.get(key(name))?.deprecationMessage;
    if (message !== undefined) log.warning(`Input '${name}' has been deprecated with message: ${message}`);
  }
  if (unexpected.length === 0) return;
  const valid = Object.keys(inputs).join("', '");
  log.warning(`Unexpected input(s) '${unexpected.join("', '")}', valid inputs are ['${valid}']`);
}

export const inputEnv = (inputs: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [`INPUT_${name.replaceAll(" ", "_").toUpperCase()}`, value]),
  );

export const stateEnv = (state: ReadonlyMap<string, string>): Record<string, string> =>
  Object.fromEntries([...state].map(([name, value]) => [`STATE_${name}`, value]));
