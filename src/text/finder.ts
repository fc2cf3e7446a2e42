/**
 * Finds the next match from a position on, repeatedly. With rising positions it reads each character once, however many
 * calls share a result.
 */
export function finder(text: string, pattern: RegExp): (from: number) => number {
  const search = new RegExp(pattern, "gu");
  let asked = 0;
  let found = -1;
  return (from) => {
    if (from < asked || from > found) {
      search.lastIndex = from;
      asked = from;
      found = search.exec(text)?.index ?? text.length;
    }
    return found;
  };
}
