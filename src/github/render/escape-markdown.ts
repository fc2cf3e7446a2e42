/**
 * Neutralises Markdown features in foreign text, which must be normalised and redacted. A removal can create a new
 * match, so what is left afterwards is broken up and nothing is removed after that.
 */

/** Keeps the text visible without opening a comment. */
export const breakComments = (text: string): string => text.replaceAll("<!--", "<! --");

/** HTML comments hide text and could contain our markers. */
export function withoutComments(text: string): string {
  let shown = "";
  let from = 0;
  for (let at = text.indexOf("<!--"); at >= 0; at = text.indexOf("<!--", from)) {
    shown += text.slice(from, at);
    const end = text.indexOf("-->", at + 4);
    if (end < 0) return breakComments(shown);
    from = end + 3;
  }
  return breakComments(shown + text.slice(from));
}

/**
 * A URL that GitHub links, as far as it certainly goes; mentions inside of it have no effect. Stops at any character
 * that could end a link, emphasis or code.
 */
const ADDRESS =
  /(?<=^|[\s(<*_~])https?:\/\/[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+(?:[:/?#](?:[\p{L}\p{N}.,:;/?#@!$&%+=-]|_(?=[\p{L}\p{N}]))*)?/u;
/** A letter or digit before `@` makes an e-mail address; an underscore does not. */
const MENTION = /(?<![\p{L}\p{N}])@(?=[\p{L}\p{N}])/u;
const ADDRESS_OR_MENTION = new RegExp(`${ADDRESS.source}|${MENTION.source}`, "gu");

const ENTITY = /&(?:#(\d{1,7})|#x([\da-f]{1,6})|(commat|num));/gi;
const AT = 0x40;

/** An entity shows the character that it encodes: `@` is decoded, the others are broken up. */
function readEntity(
  entity: string,
  decimal: string | undefined,
  hex: string | undefined,
  name: string | undefined,
): string {
  const point = name === undefined ? Number(decimal ?? `0x${hex}`) : name.toLowerCase() === "commat" ? AT : 0x23;
  if (point === AT) return "@";
  return /[#\dA-Za-z]/.test(String.fromCharCode(point)) && point < 0x80 ? `& ${entity.slice(1)}` : entity;
}

/** Adds a zero-width space after `@`: the text looks the same and nobody is notified. Links such as `#12` stay. */
export const withoutMentions = (text: string): string =>
  text.replace(ENTITY, readEntity).replace(ADDRESS_OR_MENTION, (found) => (found === "@" ? "@\u200b" : found));

const CLOSING_WORD =
  /\b(clos(?:e[sd]?|ing)|fix(?:e[sd]|ing)?|resolv(?:e[sd]?|ing))(\s*:\s*|\s+)(?=[*_~[(]{0,8}(?:(?:[\w.-]{1,100}\/[\w.-]{1,100})?#\d|https?:|GH-\d))/gi;

/** "Closes #4" in foreign text must not close an issue. */
export const withoutClosing = (text: string): string => text.replace(CLOSING_WORD, "$1\u200b$2");
