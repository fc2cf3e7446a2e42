/** Parses what `git cat-file --batch` prints. */

export interface GitObject {
  readonly id: string;
  readonly type: string;
  readonly text: string;
}

const FOUND = /^([0-9a-f]{40,64}) (\w+) (\d+)$/;
/** Said of a link that `--follow-symlinks` cannot follow, before the name or the link's target. */
const NOT_FOLLOWED = /^(?:dangling|symlink|loop|notdir) (\d+)$/;

/** One for each name that was asked for, in order; null for a missing object, or one of which the end is missing. */
export function objectsIn(answer: Buffer): (GitObject | null)[] {
  const objects: (GitObject | null)[] = [];
  for (let at = 0; at < answer.length; ) {
    const feed = answer.indexOf("\n", at);
    const end = feed < 0 ? answer.length : feed;
    const head = answer.toString("utf8", at, end);
    const [, id = "", type = "", size = ""] = FOUND.exec(head) ?? [];
    const skipped = NOT_FOLLOWED.exec(head)?.[1];
    const from = end + 1;
    const until = from + Number(id === "" ? (skipped ?? -1) : size);
    objects.push(id === "" || until > answer.length ? null : { id, type, text: answer.toString("utf8", from, until) });
    at = until + 1;
  }
  return objects;
}
