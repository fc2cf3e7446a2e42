/**
 * The schema of a key request at sign-in: a key for one repository, never with the scope admin, never without an end.
 */
import * as z from "zod";
import { repositoryField } from "../admin/new-key.ts";

export const OFFERED_SCOPES = ["read", "write", "work"] as const;
/** Days that a key may live; the second is what the form proposes. */
export const OFFERED_DAYS = [7, 30, 90, 365] as const;
export const PROPOSED_DAYS = 30;

const says = (message: string) => ({ error: () => message });

const DAYS_SENTENCE = `must be ${OFFERED_DAYS.join(", ")} days.`;
const SCOPES_SENTENCE = `must be some of ${OFFERED_SCOPES.join(", ")}.`;

export const signInRequestSchema = z.object({
  repository: repositoryField,
  scopes: z.array(z.enum(OFFERED_SCOPES, says(SCOPES_SENTENCE)), says(SCOPES_SENTENCE)).min(1, says(SCOPES_SENTENCE)),
  days: z.number(says(DAYS_SENTENCE)).refine((days) => OFFERED_DAYS.some((one) => one === days), says(DAYS_SENTENCE)),
});

export type SignInRequest = z.infer<typeof signInRequestSchema>;

/** A form names a field once for each of its values. */
const form = z.object({
  repository: z.string().trim().catch(""),
  scopes: z.union([z.array(z.string()), z.string().transform((one) => [one])]).catch([]),
  days: z.string().transform(Number).catch(Number.NaN),
});

/** The key request in this form, or a sentence about the first thing that is wrong with it. */
export function signInRequestOf(
  body: unknown,
): { readonly key_request: SignInRequest } | { readonly sentence: string } {
  const typed = form.safeParse(body ?? {});
  const parsed = signInRequestSchema.safeParse(typed.success ? typed.data : {});
  if (parsed.success) return { key_request: { ...parsed.data, scopes: [...new Set(parsed.data.scopes)] } };
  const issue = parsed.error.issues[0];
  return { sentence: `${String(issue?.path[0] ?? "form")}: ${issue?.message ?? "is not as expected."}` };
}
