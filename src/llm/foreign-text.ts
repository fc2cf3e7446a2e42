/**
 * Prepares foreign text for a prompt: removes invisible text and wraps it in a block that it cannot close. This lowers
 * the risk and is not a security boundary: the model's answer is a few fields and decides nothing by itself.
 */

import { redact } from "../contracts/redact.ts";
import { sanitize } from "../contracts/sanitize.ts";
import { normalise } from "../text/normalise.ts";

export const TAGS = ["task", "requirements", "worker_says", "change"] as const;
export type Tag = (typeof TAGS)[number];

/** Foreign text must not open or close our tags. */
const ANY_TAG = new RegExp(`<(\\s*(?:/\\s*)?(?:${TAGS.join("|")})\\b)`, "gi");

const marked = (tag: Tag, clean: string): string => `<${tag}>\n${clean.replace(ANY_TAG, "‹$1")}\n</${tag}>`;

/** Prose, as a page would show it. */
export const prose = (tag: Tag, text: string): string => marked(tag, sanitize(text));

/** Code or a patch, whose comments and tags must stay visible. */
export const code = (tag: Tag, text: string): string => marked(tag, redact(normalise(text)));
