/** A push that breaks the settings is answered on its commit, and so is the one that mends them. */
import { describe, expect, it } from "vitest";
import { SETTINGS_CHECK } from "../../src/github/effects/settings-check.ts";
import { DEMO } from "../sandbox/environment.ts";
import { type House, startHouse, until } from "./harness.ts";

const FILE = ".github/journeyman.yml";
const GOOD = "auto_merge:\n  enabled: true\n";
const BROKEN = "auto_merge:\n  enabled: perhaps\n  alowed_paths: [docs/**]\nlimits:\n  minutes: 0\n";

const push = (house: House, files: Record<string, string>): string =>
  house.github.pushCommit(DEMO, "main", files, "ada");

const checksOf = (house: House, sha: string) =>
  house.github.checkRuns(DEMO, sha).filter(({ name }) => name === SETTINGS_CHECK);

async function settled(house: House): Promise<void> {
  await house.town.idle();
  await until("the inbox to be empty", async () => (await house.app.store.inbox.pending()).length === 0);
}

async function answered(house: House, files: Record<string, string>) {
  const sha = push(house, files);
  await settled(house);
  return { sha, checks: checksOf(house, sha) };
}

describe("the settings at a push to the default branch", () => {
  it("are named with every mistake and its line where they are broken, and green where they are mended", async () => {
    const house = await startHouse({ actions: false });
    expect((await answered(house, { [FILE]: GOOD })).checks).toEqual([]);
    const { sha, checks } = await answered(house, { [FILE]: BROKEN });
    expect(checks).toMatchObject([{ status: "completed", conclusion: "failure", output: { title: "3 mistakes" } }]);
    const { summary, annotations } = checks[0]?.output ?? {};
    for (const key of ["auto_merge.enabled", "auto_merge.alowed_paths", "limits.minutes"])
      expect(summary).toContain(key);
    expect(summary).toContain("goes by the file as it was before");
    expect(annotations?.map(({ path, start_line }) => [path, start_line])).toEqual(
      expect.arrayContaining([2, 3, 5].map((line) => [FILE, line])),
    );
    expect((await answered(house, { "OTHER.md": "x" })).checks).toEqual([]);
    const mended = await answered(house, { [FILE]: `${GOOD}\n` });
    expect(mended.checks).toMatchObject([{ conclusion: "success", output: { title: "Mended" } }]);
    expect((await answered(house, { [FILE]: GOOD })).checks).toEqual([]);
    expect(checksOf(house, sha)).toHaveLength(1);
  });

  it("are spoken of once a commit, however often the push is delivered, and after a restart", async () => {
    const house = await startHouse({ actions: false });
    house.github.webhooks.duplicate(({ event }) => event === "push");
    const { sha, checks } = await answered(house, { [FILE]: "automerge: [" });
    expect(checks).toMatchObject([{ output: { title: "1 mistake", annotations: [{ start_line: 1 }] } }]);
    expect(checks[0]?.output.summary).toContain("nothing merges and only admins may command");
    await house.restart();
    expect((await answered(house, { [FILE]: GOOD })).checks).toMatchObject([{ conclusion: "success" }]);
    expect(checksOf(house, sha)).toHaveLength(1);
  });
});
