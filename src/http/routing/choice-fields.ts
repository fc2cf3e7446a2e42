/**
 * The fields `no_merge`, `draft`, `over_budget` and `base_branch` of REST requests, which correspond to the flags of `/job`.
 * Shared by the dialects that create jobs on Actions.
 */
import * as z from "zod";

const says = (message: string) => ({ error: () => message });

const flag = (description: string) =>
  z
    .boolean(says("must be true or false."))
    .nullish()
    .transform((given) => given ?? false)
    .meta({ description });

const BRANCH = /^[A-Za-z0-9_][A-Za-z0-9._/@#+-]{0,199}$/;
const BRANCH_SENTENCE = "must be the name of a branch: at most 200 letters, digits and . _ / @ # + -";

export const choiceFields = {
  no_merge: flag("The pull request is left to a person, whatever the repository's settings say."),
  draft: flag("The pull request is opened as a draft."),
  over_budget: flag("The repository's budget does not hold the first round up; for keys with the scope `admin`."),
  base_branch: z
    .string(says("must be a string."))
    .regex(BRANCH, says(BRANCH_SENTENCE))
    .nullish()
    .transform((given) => given ?? null)
    .meta({ description: "Where the job begins and what it is merged into; else the default branch." }),
};

export interface ChosenOverRest {
  readonly no_merge: boolean;
  readonly draft: boolean;
  readonly over_budget: boolean;
  readonly base_branch: string | null;
}
