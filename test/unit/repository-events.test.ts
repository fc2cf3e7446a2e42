/** Events of repositories: how a decision asks for one, who may hear of it, and what they are told. */
import { describe, expect, it } from "vitest";
import { repositoryEffectKey, repositoryEffectSchema } from "../../src/domain/repository/effect.ts";
import { REPOSITORY_EVENT_NAMES, type RepositoryEvent } from "../../src/domain/repository/events.ts";
import { published, repositoryEvent } from "../../src/domain/repository/publish.ts";
import { newRepository } from "../../src/domain/repository/repository.ts";
import type { MayHear } from "../../src/engine/ports/webhooks.ts";
import { createPublishing } from "../../src/engine/publish-events.ts";
import { chatBody } from "../../src/webhooks/chat-message.ts";
import { repositoryNotice } from "../../src/webhooks/notice.ts";
import { sampleJob } from "../contract/store/sample.ts";

const AT = 1_767_225_600_000;
const HELLO = { id: 42, owner: "octo", name: "hello", installation_id: 1 };
const WHAT = { subject: "nightly", text: "Its last three runs failed. /job resume nightly starts it again." };

const paused = (at = AT, subject = WHAT.subject) =>
  published(HELLO, "schedule.paused", { ...WHAT, subject }, at).effect;

describe("the effect that tells of an event", () => {
  it("is stored and read as it is, however long its words were", () => {
    const more = { spent_cents: 401, job_id: null };
    const told = { subject: "x".repeat(9_999), text: "é".repeat(9_999), more };
    const { effect } = published(HELLO, "budget.warning", told, AT);
    expect(effect).toMatchObject({ event: { data: { ...more, repository: "octo/hello" } } });
    expect(repositoryEffectSchema.parse(JSON.parse(JSON.stringify(effect)))).toEqual(effect);
  });

  it("is one with itself alone", () => {
    expect(repositoryEffectKey(paused())).toBe(repositoryEffectKey(paused()));
    const others = [paused(AT + 1), paused(AT, "weekly"), published(HELLO, "budget.exhausted", WHAT, AT).effect];
    const fired = ["a", "b"].map((id) => published(HELLO, "schedule.paused", { ...WHAT, id }, AT).effect);
    expect(new Set([paused(), ...others, ...fired].map(repositoryEffectKey)).size).toBe(6);
  });
});

it("tells each in a sentence, with its subject and its words below", () => {
  for (const type of REPOSITORY_EVENT_NAMES) {
    const event: RepositoryEvent = {
      type,
      timestamp: "2030-01-31T12:00:00Z",
      data: { repository: "octo/hello", ...WHAT },
    };
    const notice = repositoryNotice(event, "https://github.com");
    expect(notice).toMatchObject({
      sentence: expect.stringMatching(/ octo\/hello .*\.$/),
      title: "nightly",
      detail: WHAT.text,
      links: [{ words: "Repository", url: "https://github.com/octo/hello" }],
    });
    for (const format of ["slack", "discord", "teams"] as const) expect(chatBody(format, notice)).toContain("nightly");
  }
});

it("tells what a trigger's words stand for below them, on their own lines and no further than a chat is read", () => {
  const values = { "body.service": "<!channel> shop", "body.log": "x".repeat(4_000) };
  const more = { trigger: "report", values };
  const event = repositoryEvent(
    HELLO,
    "trigger.fired",
    { subject: "report", text: "Look at {{body.service}}.", more },
    AT,
  );
  const { detail } = repositoryNotice(event, "https://github.com");
  expect(detail).toMatch(/^Look at \{\{body\.service\}\}\.\nbody\.service: <!channel> shop\nbody\.log: x/);
  expect(detail.length).toBeLessThanOrEqual(1_200);
  expect(chatBody("slack", repositoryNotice(event, "https://github.com"))).not.toContain("<!channel>");
});

describe("who may hear of what a repository does by itself", () => {
  /** Publishes through the engine's side, and answers what it says of accounts. */
  function hearing(admitted: () => string | null | Promise<never>) {
    let now = AT;
    let asked = 0;
    const heard: (boolean | null)[] = [];
    const told: unknown[] = [];
    const say = async (mayHear: MayHear | undefined): Promise<void> => {
      heard.push((await mayHear?.("ada", HELLO)) ?? null, (await mayHear?.("operators", HELLO)) ?? null);
    };
    const { repositoryPerformer, eventPublisher } = createPublishing({
      accounts: { holder: async (account) => (account === "ada" ? { account, id: 1, login: "Ada" } : null) },
      admit: async () => {
        asked += 1;
        return admitted();
      },
      clock: { now: () => now, at: () => () => {} },
      eventPublisher: {
        perform: async (_effect, _job, _again, mayHear) => {
          await say(mayHear);
          return { ended: "done" };
        },
        publish: async (event, repository, mayHear) => {
          told.push([event.type, repository.id]);
          await say(mayHear);
          return { ended: "done" };
        },
      },
      repositoryPerformer: {
        perform: async (effect) => {
          told.push(effect.type);
          return { ended: "done" };
        },
      },
    });
    return {
      heard,
      told,
      asked: () => asked,
      pass: (ms: number) => {
        now += ms;
      },
      repositoryPerformer,
      eventPublisher,
      publish: () => repositoryPerformer.perform(paused(), newRepository(HELLO), false),
    };
  }

  it("is whoever may command there, asked again when five minutes are over, and accounts that the operator made", async () => {
    let account: string | null = "ada";
    const room = hearing(() => account);
    await room.publish();
    await room.publish();
    expect(room.asked()).toBe(1);
    account = null;
    room.pass(300_001);
    await room.publish();
    expect(room.heard).toEqual([true, true, true, true, false, true]);
    expect(room.told).toContainEqual(["schedule.paused", 42]);
  });

  it("is not known where GitHub does not answer, and is asked again", async () => {
    const room = hearing(() => Promise.reject(new Error("GitHub is away")));
    await room.publish();
    await room.publish();
    expect(room.heard).toEqual([null, true, null, true]);
    expect(room.asked()).toBe(2);
  });

  it("is asked for events of jobs in the same way, and all other effects are done on GitHub", async () => {
    const room = hearing(() => "ada");
    const announcement = { version: 1, events: [] };
    await room.eventPublisher.perform({ type: "announce", announcement }, sampleJob("1", { repository: HELLO }), false);
    await room.repositoryPerformer.perform({ type: "read-settings" }, newRepository(HELLO), false);
    expect(room.heard).toEqual([true, true]);
    expect(room.told).toEqual(["read-settings"]);
  });
});
