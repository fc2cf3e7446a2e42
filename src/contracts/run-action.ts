/** The run action as workflow files are offered with it: whose it is, and how its runs sign in at the model's provider. */
import { RUN_JOB_ACTION } from "./publisher.ts";

/** Inputs of the run action, in the order in which `RUN_FEDERATION` names their values. The last may be missing. */
const FEDERATION_INPUTS = [
  ...["anthropic_federation_rule_id", "anthropic_organization_id", "anthropic_service_account_id"],
  "anthropic_workspace_id",
];

/** Three or four ids, none of which is a secret. */
export const FEDERATION_PATTERN = /^[\w-]{1,200}(?: [\w-]{1,200}){2,3}$/;

export interface RunAction {
  /** With its ref. */
  readonly uses: string;
  /** Ids of the provider by which runs sign in as themselves; null: by a key in the repository's secrets. */
  readonly federation: readonly string[] | null;
}

export const USUAL_RUN_ACTION: RunAction = { uses: RUN_JOB_ACTION, federation: null };

/** What the step's `with:` says of the provider. */
export const providerInputs = ({ federation }: RunAction): readonly string[] =>
  federation === null
    ? [`anthropic_api_key: \${{ secrets.ANTHROPIC_API_KEY }}`]
    : federation.map((id, at) => `${FEDERATION_INPUTS[at]}: ${id}`);
