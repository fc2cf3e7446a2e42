/** Marks foreign text as data in a prompt. */
import { sanitize } from "../../src/contracts/sanitize.ts";

/** A closing tag inside the data must not end the block. */
export const block = (tag: string, text: string): string =>
  `<${tag}>\n${sanitize(text).replaceAll(new RegExp(`<(/?)(${tag})`, "gi"), "‹$1$2")}\n</${tag}>`;
