/** Work that reserved its writes uses its reservation, so that a minute holds as many writes as GitHub allows. */
import { expect, it, onTestFinished } from "vitest";
import { LIMITS } from "../../src/github/client/write-budget.ts";
import { startGitHub } from "../sandbox/github/main.ts";
import { REPO, sourceOf } from "./github-effects-harness.ts";

const AT = { owner: "octo", repo: "demo" };
const WRITES_EACH = 3;

it("spends what was reserved, and nothing beside it", async () => {
  const github = await startGitHub({ limits: "published" });
  onTestFinished(() => github.close());
  github.createRepository({ owner: AT.owner, name: AT.repo, files: { "README.md": "# demo\n" } });
  const installation = github.install(REPO);
  const source = sourceOf(github);
  const pieces = Math.floor(LIMITS.writes_per_minute / WRITES_EACH);
  const begun: (() => void)[] = [];
  // all have reserved before the first one writes
  const together = new Promise<void>((resolve) => begun.push(resolve));
  let waiting = pieces;
  const works = Array.from({ length: pieces }, (_, at) =>
    source.work(installation, `piece ${at}`, WRITES_EACH, async ({ request }) => {
      if (--waiting === 0) begun[0]?.();
      await together;
      for (let n = 0; n < WRITES_EACH; n++)
        await request("POST /repos/{owner}/{repo}/issues", { ...AT, title: `${at} ${n}` });
    }),
  );
  await Promise.all(works);
  const written = github.calls().filter(({ kind, status }) => kind === "write" && status === 201);
  expect(written.filter(({ route }) => route.endsWith("/issues"))).toHaveLength(pieces * WRITES_EACH);
});
