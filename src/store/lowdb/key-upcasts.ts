/** What makes keys of before into those of the next format. */
import { z } from "zod";

const keysOf1 = z.looseObject({ keys: z.array(z.looseObject({})) });

/** Keys know what they replace, whose they are and which repository's by number. */
export function keysTo2(file: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const lacking = { repository_id: null, login: null, replaces: null, replaced_by: null };
  return { keys: keysOf1.parse(file).keys.map((key) => ({ ...lacking, ...key })) };
}
