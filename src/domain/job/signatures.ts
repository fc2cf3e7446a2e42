/** Rules that want signed commits, by the way in which a pull request is merged. Pure. */
import type { RepositorySettings } from "../../contracts/settings.ts";
import { counted } from "../../text/plural.ts";
import type { Facts } from "./facts.ts";

/**
 * GitHub makes and signs the commits of jobs that are merged as they are, since a rule of the base may want that; a
 * squash it signs anyway.
 */
export const wantsSignedCommits = ({ auto_merge }: RepositorySettings): boolean => auto_merge.method === "merge";

/** What keeps the merge by the settings' method from bringing signed commits alone; null: nothing. A queue has its own. */
export function lacksSignatures({ base, queue, settings, signatures }: Facts): string | null {
  if (!signatures.required || queue.required) return null;
  switch (settings.auto_merge.method) {
    case "squash":
      return null;
    case "rebase":
      return `a rule of ${base} wants signed commits, and a rebase loses signatures; set \`auto_merge.method: squash\` in .github/journeyman.yml`;
    case "merge":
      return (signatures.unsigned ?? 0) === 0
        ? null
        : `a rule of ${base} wants signed commits, and ${counted(signatures.unsigned ?? 0, "commit of the pull request is not", "commits of the pull request are not")}; sign them, or set \`auto_merge.method: squash\` in .github/journeyman.yml`;
    default:
      return settings.auto_merge.method satisfies never;
  }
}
