/** Keys of tasks that are about more than one record: stores write them, the engine reads them. */

interface Base {
  /** `owner/name`. */
  readonly repository: string;
  readonly branch: string | null;
}

/** Neither has spaces. */
export const baseKey = ({ repository, branch }: Base): string => `${repository} ${branch ?? ""}`;

export function baseOf(key: string): Base {
  const [repository = "", branch = ""] = key.split(" ");
  return { repository, branch: branch === "" ? null : branch };
}
