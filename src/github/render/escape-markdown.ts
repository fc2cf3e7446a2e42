/**
 * What foreign words may not do on GitHub, each kind by itself, on text that is normalised and redacted. Taking a piece out
 * can put another together; so whatever is left then is parted by a sign, and nothing after that takes anything out.
 */

/** Opens no comment: it is still read, as what it is. */
export const partedComments = (text: string): string => text.replaceAll("<!--", "<! --");

/** HTML comments hide text, and could carry a marker of ours. */
export function withoutComments(text: string): string {
  let shown = "";
  let from = 0;
  for (let at = text.indexOf("<!--"); at >= 0; at = text.indexOf("<!--", from)) {
    shown += text.slice(from, at);
    const end = text.indexOf("-->", at + 4);
    if (end < 0) return partedComments(shown);
    from = end + 3;
  }
  return partedComments(shown + text.slice(from));
}

/**
 * A web address that GitHub makes a link of, as far as it surely goes; nobody is mentioned inside of it. What could end a
 * link, emphasis or code ends it here.
 */
const ADDRESS =
  /(?<=^|[\s(<*_~])https?:\/\/[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+(?:[:/?#](?:[\p{L}\p{N}.,:;/?#@!$&%+=-]|_(?=[\p{L}\p{N}]))*)?/u;
/** Letters and digits before an `@` make it part of an address of mail; a low line does not. */
const MENTION = /(?<![\p{L}\p{N}])@(?=[\p{L}\p{N}])/u;
const ADDRESS_OR_MENTION = new RegExp(`${ADDRESS.source}|${MENTION.source}`, "gu");

const ENTITY = /&(?:#(\d{1,7})|#x([\da-f]{1,6})|(commat|num));/gi;
const AT = 0x40;

/** A page shows the letter, digit or sign that is spelt so: an `@` is written out, the others are parted. */
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

/** A zero-width space behind `@`: nobody is notified, and it reads the same. Also `#12`-like links stay as they are. */
export const withoutMentions = (text: string): string =>
  text.replace(ENTITY, readEntity).replace(ADDRESS_OR_MENTION, (found) => (found === "@" ? "@\u200b" : found));

const CLOSING_WORD =
  /\b(clos(?:e[sd]?|ing)|fix(?:e[sd]|ing)?|resolv(?:e[sd]?|ing))(\s*:\s*|\s+)(?=[*_~[(]{0,8}(?:(?:[\w.-]{1,100}\/[\w.-]{1,100})?#\d|https?:|GH-\d))/gi;

/** "Closes #4" in foreign words would close an issue that nobody asked to close. */
export const withoutClosing = (text: string): string => text.replace(CLOSING_WORD, "$1\u200b$2");
