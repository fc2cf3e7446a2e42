import { expect, it } from "vitest";
import { DEMO } from "../sandbox/environment.ts";
import { startHouse, untilJob } from "./harness.ts";

it("a repository that names folders has its jobs work on these alone, and merges as ever", async () => {
  const house = await startHouse({
    realRuns: true,
    files: {
      ".github/journeyman.yml": "auto_merge:\n  enabled: true\ncheckout_paths: [web]\n",
      "web/page.txt": "page\n",
      "huge/data.txt": "data\n",
    },
  });
  const issue = house.ask("/job run ls > web/list.txt");
  const { id } = await house.jobOf(issue);
  await untilJob(house, id, "merged", (job) => job.merged_at !== null);
  const listed = house.github.readFile(DEMO, "main", "web/list.txt") ?? "";
  expect(listed).toContain("web\n");
  expect(listed).not.toContain("huge");
  expect(house.github.readFile(DEMO, "main", "huge/data.txt")).toBe("data\n");
});
