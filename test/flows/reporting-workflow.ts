/**
 * A workflow for jobs that reports to the App as `run-report.ts` says, in a few lines of its own: what the App makes of
 * reports is tested with it, whoever else sends them.
 */

/** Told by the first word of the task: how the work reaches the branch. */
export type Ending = "pushed" | "fallback" | "lost";

/** Waits for the file `gate` to be there before it hands in, if there is one. */
const script = (gate: string | null): string => `
const { execFileSync } = require("node:child_process");
const { existsSync, readFileSync, writeFileSync } = require("node:fs");
const { env } = process;
const id = env.GITHUB_REF_NAME.replace("job/", "");
const brief = JSON.parse(readFileSync(\`.jobs/\${id}/job.config.json\`, "utf8"));
const [ending] = readFileSync(\`.jobs/\${id}/job.md\`, "utf8").split(/\\s/);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const line = (seq, text) => ({ seq, at: new Date().toISOString(), level: "info", text });
const git = (...args) => execFileSync("git", args, { stdio: ["ignore", "pipe", "inherit"] }).toString().trim();
async function report(what, body) {
  const asked = await fetch(\`\${env.ACTIONS_ID_TOKEN_REQUEST_URL}&audience=\${encodeURIComponent(brief.app_url)}\`, {
    headers: { authorization: \`bearer \${env.ACTIONS_ID_TOKEN_REQUEST_TOKEN}\` },
  });
  const { value } = await asked.json();
  for (let tries = 0; tries < 50; tries++) {
    const answer = await fetch(\`\${brief.app_url}/api/runs/\${id}/\${what}\`, {
      method: "POST",
      headers: { authorization: \`Bearer \${value}\`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const said = await answer.json();
    if (answer.ok) return said;
    if (!answer.headers.has("retry-after")) throw new Error(JSON.stringify(said));
    await sleep(100);
  }
  throw new Error("the App never knew the run");
}
(async () => {
  const log = [line(1, "I begin."), line(2, "I work.")];
  await report("log", { lines: log });
  ${gate === null ? "" : `while (!existsSync(${JSON.stringify(gate)})) await sleep(20);`}
  const result = { version: 1, outcome: "done", title: "Say hello", body: "I wrote it.", model: "m", usage: {}, cost_cents: 1 };
  writeFileSync("HELLO.md", "hello\\n");
  git("add", "HELLO.md");
  const { token } = await report("result", { result, log: [...log, line(3, "I am done.")], changed_files: ["HELLO.md"] });
  console.log(\`::add-mask::\${token}\`);
  if (ending === "lost") return;
  if (ending === "fallback") {
    writeFileSync(\`.jobs/\${id}/result.json\`, JSON.stringify(result));
    git("add", ".jobs");
  } else git("rm", "-r", "-q", \`.jobs/\${id}\`);
  git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", \`Job \${id}: Say hello\`);
  const used = ending === "fallback" ? env.GITHUB_TOKEN : token;
  const basic = Buffer.from(\`x-access-token:\${used}\`).toString("base64");
  const url = \`\${env.GITHUB_SERVER_URL}/\${env.GITHUB_REPOSITORY}.git\`;
  git("-c", \`http.extraHeader=AUTHORIZATION: basic \${basic}\`, "push", "-q", url, \`HEAD:\${env.GITHUB_REF}\`);
})().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
`;

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

export const reportingWorkflow = (gate: string | null = null): string => scriptedWorkflow(script(gate));
