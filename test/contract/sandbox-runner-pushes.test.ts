import { createHash } from "node:crypto";
import { once } from "node:events";
import { request } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { startGitHub } from "../sandbox/github/main.ts";
import { client, installationToken } from "./sandbox-github/kit.ts";

const ZERO = "0".repeat(40);

/** A line of git's protocol. */
const packet = (text: string): string => (text.length + 4).toString(16).padStart(4, "0") + text;

function emptyPack(): Buffer {
  const head = Buffer.from([...Buffer.from("PACK"), ...[0, 0, 0, 2], ...[0, 0, 0, 0]]);
  return Buffer.concat([head, createHash("sha1").update(head).digest()]);
}

test("a ref that REST moves while a push is on its way is told once, and the push of its own ref too", async () => {
  const github = await startGitHub();
  onTestFinished(() => github.close());
  github.createUser("octo", "Organization");
  github.createRepository({ owner: "octo", name: "demo", files: { "a.txt": "a" } });
  const token = await installationToken(github, github.install("octo/demo"));
  const told: string[] = [];
  github.actions.onTrigger(({ event, ref }) => void told.push(`${event} ${ref}`));
  const sha = github.branches("octo/demo").main ?? "";

  const command = packet(`${ZERO} ${sha} refs/heads/pushed\0 report-status`);
  const pushing = request(`${github.url}/octo/demo.git/git-receive-pack`, {
    method: "POST",
    headers: {
      authorization: `Basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`,
      "content-type": "application/x-git-receive-pack-request",
      "user-agent": "git/2.47.3",
      // the server says so when it has begun
      expect: "100-continue",
    },
  });
  const answered = new Promise<string>((resolve, reject) => {
    pushing.once("error", reject);
    pushing.once("response", (response) => {
      let text = "";
      response.setEncoding("latin1").on("data", (chunk: string) => (text += chunk));
      response.once("end", () => resolve(text));
    });
  });
  pushing.flushHeaders();
  await once(pushing, "continue");
  pushing.write(command.slice(0, 20));
  const made = await client(github, `Bearer ${token}`)("POST /repos/octo/demo/git/refs", {
    ref: "refs/heads/beside",
    sha,
  });
  expect(made.status).toBe(201);
  pushing.end(Buffer.concat([Buffer.from(`${command.slice(20)}0000`), emptyPack()]));
  expect(await answered).toContain("ok refs/heads/pushed");
  await github.idle();
  expect(told.sort()).toEqual(["push refs/heads/beside", "push refs/heads/pushed"]);
});
