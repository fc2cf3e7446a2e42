import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { branchOf } from "../../src/job/job.ts";
import { ID, run } from "../unit/core.ts";
import { type Bench, bench, command, FILES, Journey, REPO } from "./outbound-kit.ts";

const BRIEF = { type: "push-brief", round: 1, try: 1 } as const;
const OWN = "egress: [evil.example]\nforbidden_paths: []\nauto_merge:\n  enabled: true\n  required_checks: []\n";

describe("the branches of a repository", () => {
  let b: Bench;
  beforeEach(async () => {
    b = await bench({ ...FILES, ".github/journeyman.yml": "forbidden_paths: [legal/]\nlimits: {turns: 7}\n" });
    b.github.pushCommit(REPO, "release", { ".github/journeyman.yml": OWN }, "ada", "Settings of my own");
  });
  afterEach(() => b.close());

  const ran = (journey: Journey) => {
    const report = { head_sha: journey.job.brief_sha ?? "", commit_message: `Run job ${ID}: x` };
    journey.tell({ type: "run-changed", run: run(), ...report });
    journey.tell({ type: "run-changed", run: run({ status: "completed", conclusion: "success" }), ...report });
  };

  it("bring no settings of their own, neither to the brief nor to the verdict", async () => {
    const journey = new Journey(b, { base_branch: "release" });
    await journey.perform(BRIEF);
    expect(journey.job.settings).toMatchObject({ forbidden_paths: ["legal/"], limits: { turns: 7 } });
    expect(journey.job.settings?.egress).toBeUndefined();
    b.github.pushCommit(REPO, branchOf(ID), { "a.md": "a\n" }, "github-actions[bot]", "Work");
    ran(journey);
    await journey.perform({ type: "read-result", round: 1, try: 1 });
    await journey.perform({ type: "open-pull-request", round: 1 });
    const told = command(await journey.perform({ type: "read-facts", runs: [] }));
    expect(told).toMatchObject({
      facts: { base: "release", settings: { auto_merge: { enabled: false }, forbidden_paths: ["legal/"] } },
    });
  });
});
