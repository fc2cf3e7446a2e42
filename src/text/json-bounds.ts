/**
 * Limits foreign JSON before parsing: 900 kB of `[` take the parser half a second, and as many bytes of distinct names
 * a tenth of one. Looks at each byte once and leaves syntax errors to the parser.
 */

/** Nesting levels; our own bodies and results have six. */
const MAX_DEPTH = 64;
/** Containers and values together; our own largest, a result with a full log, has 12,000. */
export const MAX_VALUES = 20_000;

const [COMMA, COLON] = [0x2c, 0x3a];
const [QUOTE, BACKSLASH, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d];

export function isJsonWithinBounds(bytes: Uint8Array, mostValues = MAX_VALUES): boolean {
  let [depth, values] = [0, 0];
  let inString = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (inString) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      depth += 1;
      values += 1;
      if (depth > MAX_DEPTH || values > mostValues) return false;
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth -= 1;
    else if (byte === COMMA) {
      values += 1;
      if (values > mostValues) return false;
    }
  }
  return true;
}

/** How many fields all objects of this JSON name together: outside of strings a colon stands behind each name alone. */
export function fieldsIn(bytes: Uint8Array): number {
  let fields = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (inString && byte === BACKSLASH) at += 1;
    else if (byte === QUOTE) inString = !inString;
    else if (!inString && byte === COLON) fields += 1;
  }
  return fields;
}

/** How many of them are left of it when it is read: of a field that an object names twice, the parser keeps the last alone. */
export function fieldsOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const held: readonly unknown[] = Object.values(value);
  return held.reduce<number>((sum, one) => sum + fieldsOf(one), Array.isArray(value) ? 0 : held.length);
}

/** The value of a foreign text, or `undefined` where it is no JSON within the bounds. */
export function parseForeignJson(text: string): unknown {
  try {
    return isJsonWithinBounds(Buffer.from(text)) ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}
