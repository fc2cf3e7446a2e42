/** Paging of lists: the query parameters, and the `Link` header to the next page. */
import * as z from "zod";
import { DEFAULT_PAGE, MAX_PAGE } from "./limits.ts";

const says = (message: string) => ({ error: () => message });
const PAGE_SENTENCE = `must be a whole number from 1 to ${MAX_PAGE}.`;

const NO_CURSOR = "is not a cursor of this list; leave it out to begin at the start.";

/** As every list writes it: a time or a day, then what tells apart what came at once. One that leads nowhere is for the list to see. */
const isCursor = (text: string): boolean => {
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text && /^-?\d[\d-]*[. ][ -~]+$/.test(bytes.toString("latin1"));
};

export const pageSchema = z.strictObject({
  limit: z
    .string(says(PAGE_SENTENCE))
    .regex(/^\d{1,3}$/, says(PAGE_SENTENCE))
    .transform(Number)
    .refine((value) => value >= 1 && value <= MAX_PAGE, says(PAGE_SENTENCE))
    .default(DEFAULT_PAGE)
    .meta({
      description: `How many, 1 to ${MAX_PAGE}.`,
      // a query is text, and what it says is a number
      override: ({ jsonSchema }: { readonly jsonSchema: { pattern?: string } }) => {
        delete jsonSchema.pattern;
        Object.assign(jsonSchema, { type: "integer", minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE });
      },
    }),
  cursor: z
    .string(says("must be given once."))
    .max(200, says(NO_CURSOR))
    .refine(isCursor, says(NO_CURSOR))
    .optional()
    .meta({ description: "Where the last page ended." }),
});

/** The header of a list: the next page, where there is one. `address`: of the list, without a query. */
export function nextLink(
  address: string,
  query: Readonly<Record<string, string>>,
  cursor: string | null,
): Readonly<Record<string, string>> {
  if (cursor === null) return {};
  return { Link: `<${address}?${new URLSearchParams({ ...query, cursor })}>; rel="next"` };
}
