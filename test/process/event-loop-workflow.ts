/**
 * A workflow that gives its run's identity away, waits for a word, and then leaves the worst that a run can leave on its
 * branch: a result, a log and as many files as a job may change, all named so that globs find them hard to tell.
 */
import { scriptedWorkflow } from "./scripted-workflow.ts";

const script = (folder: string): string => `
const { execFileSync } = require("node:child_process");
const { existsSync, mkdirSync, renameSync, writeFileSync } = require("node:fs");
const { env } = process;
const id = env.GITHUB_REF_NAME.replace("job/", "");
const git = (...args) => execFileSync("git", args, { stdio: ["ignore", "pipe", "inherit"] });
(async () => {
  const asked = await fetch(\`\${env.ACTIONS_ID_TOKEN_REQUEST_URL}&audience=\${encodeURIComponent(env.APP_URL)}\`, {
    headers: { authorization: \`bearer \${env.ACTIONS_ID_TOKEN_REQUEST_TOKEN}\` },
  });
  writeFileSync(\`${folder}/new-\${id}\`, (await asked.json()).value);
  renameSync(\`${folder}/new-\${id}\`, \`${folder}/token-\${id}\`);
  while (!existsSync("${folder}/go")) await new Promise((resolve) => setTimeout(resolve, 20));
  for (let at = 0; at < 250; at++) writeFileSync("a".repeat(110) + at, "x");
  const body = "fixes" + " ".repeat(200000) + "](<".repeat(60000);
  const result = { version: 1, outcome: "done", title: "t".repeat(9000), body, model: "m", usage: {}, cost_cents: 1,
    put_back: Array.from({ length: 100 }, (_, at) => "\`".repeat(4000) + at), notes: Array(10).fill("n".repeat(600)) };
  writeFileSync(\`.jobs/\${id}/result.json\`, JSON.stringify(result));
  const text = "-ghp_".repeat(40);
  const lines = Array.from({ length: 2000 }, (_, at) => JSON.stringify({ seq: at + 1, at: "2030-01-31T12:00:00.000Z", level: "info", text }));
  writeFileSync(\`.jobs/\${id}/log.jsonl\`, lines.join("\\n"));
  git("add", "-A");
  git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", \`Job \${id}: work\`);
  const basic = Buffer.from(\`x-access-token:\${env.GITHUB_TOKEN}\`).toString("base64");
  const url = \`\${env.GITHUB_SERVER_URL}/\${env.GITHUB_REPOSITORY}.git\`;
  git("-c", \`http.extraHeader=AUTHORIZATION: basic \${basic}\`, "push", "-q", url, \`HEAD:\${env.GITHUB_REF}\`);
})().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
`;

export const waitingWorkflow = (folder: string): string =>
  // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of GitHub's
  scriptedWorkflow(script(folder), "APP_URL: ${{ vars.APP_URL }}");
