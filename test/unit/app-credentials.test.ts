import { describe, expect, it } from "vitest";
import { RETRY_MS, watchCredentials } from "../../src/github/client/app-credentials.ts";
import { stillClock } from "../flows/clock.ts";

const refusal = (status: number, message: string, date?: string) =>
  Object.assign(new Error(message), {
    ...{ name: "HttpError", status },
    response: { headers: date === undefined ? {} : { date } },
  });
const SELF = { slug: "journeyman", appId: 7 };

function watched(answers: readonly (Error | typeof SELF)[]) {
  const clock = stillClock();
  const lines: string[] = [];
  const left = [...answers];
  const ask = async () => {
    const next = left.shift() ?? SELF;
    if (next instanceof Error) throw next;
    return next;
  };
  const say = (level: string) => (_facts: object, message: string) => void lines.push(`${level} ${message}`);
  const log = { info: say("info"), warn: say("warn"), error: say("error") };
  const watch = watchCredentials({ self: ask, ask, app_id: 7, clock, log });
  const settle = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  return {
    watch,
    clock,
    lines,
    async next() {
      clock.pass(RETRY_MS);
      await settle();
      return watch.credentialStatus();
    },
    async first() {
      watch.start();
      await settle();
      return watch.credentialStatus();
    },
  };
}

describe("what GitHub thinks of the App", () => {
  it("is not known before it was asked", () => {
    expect(watched([]).watch.credentialStatus()).toMatchObject({ usable: false });
  });

  it("tells a wrong key, a wrong id, a wrong clock and a GitHub that is away apart, once each, and finds out when all is well", async () => {
    const seen = watched([
      refusal(401, "A JSON web token could not be decoded"),
      refusal(401, "A JSON web token could not be decoded"),
      refusal(404, "Integration not found"),
      refusal(
        401,
        "'Expiration time' claim ('exp') is too far in the future",
        new Date(1_900_000_000_000).toUTCString(),
      ),
      refusal(500, "connect ECONNREFUSED"),
      SELF,
    ]);
    expect(await seen.first()).toMatchObject({ usable: false, sentence: expect.stringContaining("PRIVATE_KEY") });
    expect(await seen.next()).toMatchObject({ usable: false, sentence: expect.stringContaining("PRIVATE_KEY") });
    expect(await seen.next()).toMatchObject({ usable: false, sentence: expect.stringContaining("APP_ID 7") });
    expect(await seen.next()).toMatchObject({ usable: false, sentence: expect.stringContaining("Set the clock") });
    expect(await seen.next()).toMatchObject({ usable: true, sentence: expect.stringContaining("cannot be reached") });
    expect(await seen.next()).toEqual({ usable: true, sentence: null });
    expect(seen.lines.map((line) => line.split(" ")[0])).toEqual(["error", "error", "warn", "info"]);
  });
});
