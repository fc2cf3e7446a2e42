/**
 * Foreign words as a model is shown them: cleaned of what no reader sees, and in a block that they cannot end. It lowers
 * the risk and is no boundary: what a model says of them is a value of a few fields, and decides nothing alone.
 */

import { redact } from "../contracts/redact.ts";
import { sanitize } from "../contracts/sanitize.ts";
import { normalise } from "../text/normalise.ts";

export const TAGS = ["task", "requirements", "worker_says", "change"] as const;
export type Tag = (typeof TAGS)[number];

/** No tag of ours opens or closes inside of what is foreign. */
const ANY_TAG = new RegExp(`<(\\s*/?\\s*(?:${TAGS.join("|")})\\b)`, "gi");

const marked = (tag: Tag, clean: string): string => `<${tag}>\n${clean.replace(ANY_TAG, "‹$1")}\n</${tag}>`;

/** Prose, as a page would show it. */
export const prose = (tag: Tag, text: string): string => marked(tag, sanitize(text));

/** Code or a patch, in which comments and tags are part of what is to be seen. */
export const code = (tag: Tag, text: string): string => marked(tag, redact(normalise(text)));
