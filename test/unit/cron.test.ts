import { describe, expect, it } from "vitest";
import { cronMistake, isTimeZone, nextTime } from "../../src/contracts/cron.ts";

const BERLIN = "Europe/Berlin";
const timesAfter = (expression: string, zone: string, from: string, count: number): string[] => {
  const times: string[] = [];
  let at: number | null = Date.parse(from);
  while (times.length < count && at !== null) {
    at = nextTime(expression, zone, at);
    if (at !== null) times.push(new Date(at).toISOString().slice(0, 16));
  }
  return times;
};

describe("a cron expression", () => {
  it.each([
    "0 9 * * *",
    "*/5 * * * *",
    "0  9 * * MON-FRI",
    "0 0 L 2 *",
    "0 0 29 2 *",
    "0 0 * * 5#2",
    "@daily",
    "0,58 9 * * *",
    "0 0 31 4 1",
  ])("may be %s", (expression) => {
    expect(cronMistake(expression)).toBeNull();
  });

  it.each([
    "",
    "x",
    "* * * *",
    "0 0 0 9 * *",
    "60 * * * *",
    "@reboot",
    "? 9 * * *",
    "0 9 +1 * *",
    "*/0 * * * *",
    "2030-01-01T00:00:00",
  ])("is not %s", (expression) => {
    expect(cronMistake(expression)).toContain("is not a cron expression of five fields");
  });

  it.each(["* * * * *", "*/4 * * * *", "0,3 9 * * *", "58,1 9,10 * * *", "58,1 23,0 * * *"])(
    "does not start as often as %s does",
    (expression) => {
      expect(cronMistake(expression)).toContain("more often than every 5 minutes");
    },
  );

  it.each(["0 0 31 2 *", "0 0 31 2,4,6,9,11 *"])("does not name the day of %s, which never comes", (expression) => {
    expect(cronMistake(expression)).toBe("names a day that never comes");
    expect(nextTime(expression, "UTC", Date.parse("2030-01-01T00:00Z"))).toBeNull();
  });

  it("has a zone of an IANA name", () => {
    expect([BERLIN, "UTC", "utc", "Australia/Lord_Howe"].map(isTimeZone)).toEqual([true, true, true, true]);
    expect(["Mars/Phobos", "", "Berlin"].map(isTimeZone)).toEqual([false, false, false]);
    expect(nextTime("0 9 * * *", "Mars/Phobos", 0)).toBeNull();
  });
});

describe("daylight saving", () => {
  it("has a time of the hour that is left out come right after it, once", () => {
    expect(timesAfter("30 2 * * *", BERLIN, "2026-03-28T12:00Z", 2)).toEqual(["2026-03-29T01:00", "2026-03-30T00:30"]);
    expect(timesAfter("0 2,3 * * *", BERLIN, "2026-03-28T12:00Z", 2)).toEqual(["2026-03-29T01:00", "2026-03-30T00:00"]);
  });

  it("has a time of the hour that comes twice come the first time alone", () => {
    expect(timesAfter("30 2 * * *", BERLIN, "2026-10-24T12:00Z", 2)).toEqual(["2026-10-25T00:30", "2026-10-26T01:30"]);
  });

  it("leaves out no hour of a schedule of every hour", () => {
    expect(timesAfter("0 * * * *", BERLIN, "2026-10-24T23:30Z", 4).map((time) => time.slice(11))).toEqual([
      ...["00:00", "01:00", "02:00", "03:00"],
    ]);
    expect(timesAfter("0 * * * *", BERLIN, "2026-03-28T23:30Z", 3).map((time) => time.slice(11))).toEqual([
      ...["00:00", "01:00", "02:00"],
    ]);
  });

  it("keeps the hour of the zone on both sides of it", () => {
    expect(timesAfter("0 9 * * *", BERLIN, "2026-03-27T12:00Z", 2)).toEqual(["2026-03-28T08:00", "2026-03-29T07:00"]);
  });
});
