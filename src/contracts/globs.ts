/** Lists of path globs, as settings have them. */
import * as z from "zod";
import { expandGlob, globMistake } from "../text/glob.ts";

const MAX_GLOBS = 100;
/** How many globs the braces of a whole list may expand to. */
const MAX_EXPANDED = 300;

const glob = z.string().superRefine((text, { addIssue }) => {
  const mistake = globMistake(text);
  if (mistake !== null) addIssue(mistake);
});

export const globs = z
  .array(glob)
  .max(MAX_GLOBS)
  .refine((all) => all.flatMap(expandGlob).length <= MAX_EXPANDED, {
    error: `stands for more than ${MAX_EXPANDED} globs: write fewer braces`,
    when: ({ value, issues }) => issues.length === 0 && Array.isArray(value),
  });
