import { expect, it } from "vitest";
import { DEMO } from "../sandbox/environment.ts";
import { startHarness, untilJob } from "./harness.ts";

it("a repository that names folders has its jobs work on these alone, and merges as ever", async () => {
  const harness = await startHarness({
    realRuns: true,
    files: {
      ".github/journeyman.yml": "auto_merge:\n  enabled: true\ncheckout_paths: [web]\n",
      "web/page.txt": "page\n",
      "huge/data.txt": "data\n",
    },
  });
  const issue = harness.ask("/job run ls > web/list.txt");
  const { id } = await harness.jobOf(issue);
  await untilJob(harness, id, "merged", (job) => job.merged_at !== null);
  const listed = harness.github.readFile(DEMO, "main", "web/list.txt") ?? "";
  expect(listed).toContain("web\n");
  expect(listed).not.toContain("huge");
  expect(harness.github.readFile(DEMO, "main", "huge/data.txt")).toBe("data\n");
});
