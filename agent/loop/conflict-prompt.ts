/** Tells the model of conflicts that no marker in a file shows, and how to decide them. */
import type { Conflict, ConflictKind } from "../../src/contracts/conflicts.ts";
import { block } from "./data-block.ts";

const KINDS: Readonly<Record<ConflictKind, string>> = {
  deleted_by_base: "the base deleted it and this branch changed it; the checkout has the branch's version",
  deleted_by_branch: "this branch deleted it and the base changed it; the checkout has the base's version",
  renamed: "one side alone has it, since the sides have renamed or placed something differently",
  no_text:
    "both sides changed it, and it takes no markers, such as a binary file or a link; the checkout has the branch's version",
  submodule: "the sides have this submodule at different commits; the branch's is taken",
};

/** Empty where there are none. */
export const conflictParts = (conflicts: readonly Conflict[]): string[] =>
  conflicts.length === 0
    ? []
    : [
        "These paths conflict and no marker shows it, so one side would be lost if nobody decided. Find out what each side " +
          "wanted (`git show :2:PATH` is the branch's version, `git show :3:PATH` the base's), change, move or delete the file " +
          "where that keeps both, and name each path in `conflicts` when you finish: keep is `file` for what stands in the " +
          "checkout then (also if it is deleted), `branch` or `base` for that side's version. Say in body why a side was left out.\n" +
          block("conflicts", conflicts.map(({ path, kind }) => `${JSON.stringify(path)}: ${KINDS[kind]}`).join("\n")),
      ];
