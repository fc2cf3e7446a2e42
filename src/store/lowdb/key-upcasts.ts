/** Converts older API keys to the next format. */
import * as z from "zod";

const keysOf1 = z.looseObject({ keys: z.array(z.looseObject({})) });

/** Adds to keys what they replace, who owns them and the number of their repository. */
export function keysTo2(file: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const lacking = { repository_id: null, login: null, replaces: null, replaced_by: null };
  return { keys: keysOf1.parse(file).keys.map((key) => ({ ...lacking, ...key })) };
}
