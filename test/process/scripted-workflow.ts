/** A workflow for jobs that does its work in a few lines of shell. */

const indented = (text: string): string => text.trim().replaceAll("\n", "\n          ");

/** A workflow that plays this script of Node's in place of the run action; `env`: further lines of the step's variables. */
export const scriptedWorkflow = (script: string, env = ""): string => `name: Run job
on:
  push:
    branches: ["job/**"]
permissions:
  contents: write
  id-token: write
jobs:
  run:
    if: startsWith(github.event.head_commit.message, 'Run job ') && !github.event.deleted
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    steps:
      - name: Check out the job
        uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0
        with:
          fetch-depth: 2
          persist-credentials: false
      - name: Work
        env:
          GITHUB_TOKEN: \${{ github.token }}${env === "" ? "" : `\n          ${env}`}
        run: |
          node - <<'SCRIPT'
          ${indented(script)}
          SCRIPT
`;
