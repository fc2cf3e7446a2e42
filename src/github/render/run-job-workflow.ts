/** The current workflow file, and the notice for repositories with an outdated copy. */

import { providerInputs, type RunAction, USUAL_RUN_ACTION } from "../../contracts/run-action.ts";

export const runJobWorkflow = (action: RunAction): string => `name: Run job
run-name: \${{ github.event.head_commit.message || format('Run {0}', github.ref_name) }}
on:
  push: { branches: ["job/**"] }
  workflow_dispatch:
permissions: { contents: write, id-token: write }
jobs:
  run:
    if: github.event_name == 'workflow_dispatch' || (startsWith(github.event.head_commit.message, 'Run job ') && !github.event.deleted)
    runs-on: ubuntu-24.04
    timeout-minutes: 350
    concurrency: { group: "job-\${{ github.ref }}" }
    steps:
      # set-up actions (setup-go, setup-java …) may stand here; with a checkout of the default branch alone, and no
      # step that runs the repository's own code: see Toolchain in Journeyman's docs/install.md
      - uses: ${action.uses}
        with:
${providerInputs(action)
  .map((input) => `          ${input}\n`)
  .join("")}`;

export const RUN_JOB_WORKFLOW = runJobWorkflow(USUAL_RUN_ACTION);

export const newWorkflow = (action: RunAction): string => `<details>
<summary>This repository's copy of <code>.github/workflows/run-job.yml</code> is outdated. It still works; replace it with these lines:</summary>

\`\`\`yaml
${runJobWorkflow(action)}\`\`\`

</details>`;
