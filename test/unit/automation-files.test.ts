import { expect, it } from "vitest";
import { automationOf, parseCrons, parseTriggers } from "../../src/github/repository-settings/automation-files.ts";
import { parseSettings } from "../../src/github/repository-settings/settings-file.ts";

const blob = (value: unknown) => ({
  text: typeof value === "string" ? value : JSON.stringify(value),
  isTruncated: false,
});
/** As create-job's documentation has it. */
const DAILY = {
  name: "daily-report",
  schedule: "0 9 * * *",
  type: "agent",
  job: "Generate daily metrics report from logs",
  enabled: true,
};
const problemOf = (value: unknown): string => {
  const read = parseCrons(blob(value));
  return read.ok ? "" : read.problem;
};

it("reads the file of create-job's documentation, and the bare list", () => {
  for (const file of [{ jobs: [DAILY] }, [DAILY]])
    expect(parseCrons(blob(file))).toEqual({ ok: true, list: [{ ...DAILY, timezone: "UTC" }] });
  const trigger = {
    name: "review",
    watch_path: "/webhook",
    actions: [{ type: "agent", job: "Look." }],
    enabled: false,
  };
  for (const file of [{ triggers: [trigger] }, [trigger]])
    expect(parseTriggers(blob(file))).toEqual({ ok: true, list: [{ ...trigger, jobs_per_hour: 10 }] });
  expect(parseCrons(null)).toEqual({ ok: true, list: [] });
});

it("leaves out lines of comment, and no text that has two slashes", () => {
  const list = JSON.stringify([{ ...DAILY, job: "Look at https://example.com // and at //this" }], null, 2);
  const commented = `// config/CRONS.json\n${list.replace("{\n", "{\n    // each morning\r\n")}\n//`;
  const job = "Look at https://example.com // and at //this";
  expect(parseCrons(blob(commented))).toEqual({ ok: true, list: [{ ...DAILY, timezone: "UTC", job }] });
  expect(problemOf(`${list} // behind`)).toContain("is not valid JSON");
  expect(problemOf(`[${JSON.stringify(DAILY)}, //\n]`)).toContain("is not valid JSON");
});

it("takes the file's name above it for no part of it, as create-job's documentation writes it", () => {
  const text = `\n// config/CRONS.json\n${JSON.stringify({ jobs: [DAILY] })}`;
  expect(parseCrons(blob(text))).toEqual({ ok: true, list: [{ ...DAILY, timezone: "UTC" }] });
  for (const broken of ["// config/CRONS.json", "{} // no", "/ [] "])
    expect(problemOf(broken)).toContain("not valid JSON");
});

it("takes no text for a comment that has a line separator before two slashes", () => {
  const job = "one\u2028// two";
  expect(parseCrons(blob(`[{ "name": "a", "schedule": "0 9 * * *", "job": "${job}" }]`))).toMatchObject({
    ok: true,
    list: [{ job }],
  });
});

it("reads a file that begins with a byte order mark", () => {
  expect(parseCrons(blob("\ufeff// config/CRONS.json\r\n[]\r\n"))).toEqual({ ok: true, list: [] });
  expect(parseTriggers(blob('\ufeff{ "triggers": [] }'))).toEqual({ ok: true, list: [] });
});

it("refuses the commands of create-job's own files in words, and takes those of a trigger that is off", () => {
  const command = { type: "command", command: "ls -la logs/" };
  expect(problemOf([{ name: "a", schedule: "0 9 * * *", ...command }])).toBe(
    "`config/CRONS.json` has a mistake at `[0].type`: is `command`, but nothing of a repository runs on the server: use `agent`, or a workflow of your own.",
  );
  expect(problemOf([{ ...DAILY, command: "ls" }])).toContain(
    "at `[0].command`: is for `type: command`, which is refused; a task stands in `job`",
  );
  const trigger = (more: object) => parseTriggers(blob([{ name: "a", ...more }]));
  expect(trigger({ actions: [command], enabled: false })).toMatchObject({ ok: true, list: [{ enabled: false }] });
  expect(trigger({ actions: [command] })).toMatchObject({
    problem: expect.stringContaining("is a command, and no command runs on the server"),
  });
  expect(trigger({ actions: [{ job: "Look.", command: "ls" }] })).toMatchObject({
    problem: expect.stringContaining("has a `command`, which is for `type: command`"),
  });
});

it("says in a sentence what is wrong with a file, and where", () => {
  expect(problemOf("{")).toBe("`config/CRONS.json` is not valid JSON: fix it, or delete the file.");
  expect(problemOf("[".repeat(60_000))).toContain("is not valid JSON");
  expect(problemOf(`[${" ".repeat(70_000)}]`)).toBe("`config/CRONS.json` is not a text of 64 KB at most.");
  expect(problemOf({ jobs: [{ ...DAILY, schedul: "" }] })).toMatch(/has a mistake at .*jobs.*0.*schedul/);
  expect(problemOf([DAILY, { ...DAILY, name: "Daily-Report" }])).toContain("has two entries of one name");
  expect(problemOf([{ ...DAILY, name: "../x" }])).toContain("is a name of letters, digits");
});

it.each([
  [{ schedule: "every day" }, "`jobs[0].schedule`: is not a cron expression of five fields"],
  [{ schedule: "* * * * *" }, "`jobs[0].schedule`: starts more often than every 5 minutes"],
  [{ timezone: "Mars/Phobos" }, "`jobs[0].timezone`: is no time zone"],
  [{ type: "command" }, "`jobs[0].type`: is `command`, but nothing of a repository runs on the server"],
  [{ job: " " }, "`jobs[0].job`: is missing: it is the task of the job"],
])("refuses %j in words, with its place", (differs, words) => {
  expect(problemOf({ jobs: [{ ...DAILY, ...differs }] })).toContain(words);
});

it("names the line of a wrong schedule in the settings file", () => {
  const read = parseSettings("schedules:\n  - name: nightly\n    schedule: '* * * * *'\n    job: Look.\n");
  expect(read).toMatchObject({ ok: false, mistakes: [{ line: 3 }] });
});

it("says of one name in two files which counts", () => {
  const yaml = "schedules:\n  - {name: Daily-Report, schedule: '0 1 * * *', job: Mine.}\n";
  const { problems } = automationOf({ settings: parseSettings(yaml), crons: blob([DAILY]), triggers: null }, null);
  expect(problems).toEqual([
    { from: "config/CRONS.json", problem: expect.stringContaining("which `.github/journeyman.yml` has as well") },
  ]);
});

it("keeps what a broken file last said, and takes the settings file's entry of two with one name", () => {
  const yaml = "schedules:\n  - {name: Daily-Report, schedule: '0 1 * * *', job: Mine.}\n";
  const both = automationOf({ settings: parseSettings(yaml), crons: blob([DAILY]), triggers: null }, null);
  expect(both.schedules).toMatchObject([{ name: "Daily-Report", from: ".github/journeyman.yml" }]);
  const alone = automationOf({ settings: null, crons: blob([DAILY]), triggers: null }, both);
  expect(alone.schedules).toMatchObject([{ name: "daily-report", from: "config/CRONS.json" }]);
  const broken = automationOf({ settings: parseSettings("a: ["), crons: blob("{"), triggers: null }, alone);
  expect(broken.schedules).toEqual(alone.schedules);
  expect(broken.problems).toMatchObject([{ from: "config/CRONS.json" }]);
});
