/**
 * What chats are sent: in the shapes of their own packages, within their limits, and with nothing foreign that they would
 * obey.
 */
import type { KnownBlock } from "@slack/types";
import { AdaptiveCard, SerializationContext, Versions } from "adaptivecards";
import type { RESTPostAPIWebhookWithTokenJSONBody } from "discord-api-types/v10";
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { EVENT_SENTENCES } from "../../src/domain/job/event-sentences.ts";
import type { Job } from "../../src/domain/job/job.ts";
import { EVENT_NAMES, type EventName, type JobEvent } from "../../src/domain/job/job-events.ts";
import { jobView } from "../../src/domain/job/view.ts";
import { CHAT_EVENTS } from "../../src/domain/published-events.ts";
import { chatBody, discordMessage, slackMessage, teamsMessage } from "../../src/webhooks/chat-message.ts";
import { jobNotice, type Notice, testNotice } from "../../src/webhooks/notice.ts";
import { sampleJob } from "../contract/store/sample.ts";

const AT = 1_767_225_600_000;
const WEB = "https://github.com";
const PULL = { number: 7, url: "https://github.com/octo/hello_world/pull/7" };

const theJob = (differs: Partial<Job> = {}): Job =>
  sampleJob("1", {
    repository: { owner: "octo", name: "hello_world", installation_id: 1 },
    origin: { kind: "comment", issue: 12, comment_id: 5 },
    title: "Add a flag",
    comment: { id: 99 },
    ...differs,
  });

const eventOf = (type: EventName, job: Job, differs: Partial<JobEvent["data"]> = {}): JobEvent => ({
  type,
  timestamp: new Date(AT).toISOString(),
  data: { ...jobView(job, AT), ...differs },
});

const notice = (type: EventName, job = theJob(), differs: Partial<JobEvent["data"]> = {}): Notice =>
  jobNotice(eventOf(type, job, differs), job, WEB);

const hostile = (words: string): Notice => ({
  sentence: "A job in octo/hello_world failed.",
  tone: "bad",
  title: words,
  detail: words,
  links: notice("job.failed").links,
  at: new Date(AT).toISOString(),
});

/** What Slack's own package says a message's blocks are. */
const slackBlocks = (of: Notice): readonly KnownBlock[] => slackMessage(of).blocks;
const discordBody = (of: Notice): RESTPostAPIWebhookWithTokenJSONBody => discordMessage(of);

const cardOf = (of: Notice) => {
  const [attachment] = teamsMessage(of).attachments;
  if (attachment === undefined) throw new Error("there is no card");
  return attachment.content;
};

/** Parses a card as its own library does, and answers what is wrong with it. */
function cardMistakes(content: object): readonly string[] {
  const card = new AdaptiveCard();
  const context = new SerializationContext(Versions.v1_4);
  card.parse(content, context);
  const events = Array.from({ length: context.eventCount }, (_, index) => context.getEventAt(index).message);
  return [...events, ...card.validateProperties().validationEvents.map(({ message }) => message)];
}

describe("the notice of an event", () => {
  it("says each in a sentence with the repository, and holds no word of the job's in it", () => {
    const words = "Xyzzy";
    for (const type of EVENT_NAMES) {
      const { sentence } = notice(type, theJob({ title: words }), { question: words, failure: words, result: words });
      expect(sentence).toMatch(/^\S.* octo\/hello_world\b.*[.:]$/);
      expect(sentence).not.toContain(words);
    }
  });

  it("brings what a person has to know of it", () => {
    expect(notice("job.waiting_for_user", theJob(), { question: "Which one?" })).toMatchObject({
      detail: "Which one?",
      tone: "asks",
    });
    expect(notice("job.failed", theJob(), { failure: "No tests ran." }).detail).toBe("No tests ran.");
    const left = theJob({ pull_request: PULL, merge: { state: "off", why: "the settings say so" } });
    expect(notice("job.verified", left, { result: "Added it." }).detail).toBe(
      "It is not merged automatically: the settings say so\n\nAdded it.",
    );
    expect(notice("job.verified", theJob(), { outcome: "declined", result: "It is unsafe." })).toMatchObject({
      sentence: "A job in octo/hello_world was declined by the agent.",
      detail: "It is unsafe.",
    });
  });

  it("links the pull request, the issue at the job's comment, and the branch's runs", () => {
    const { links } = notice("job.merged", theJob({ pull_request: PULL }));
    expect(links).toEqual([
      { words: "Pull request #7", url: PULL.url },
      { words: "Issue", url: "https://github.com/octo/hello_world/issues/12#issuecomment-99" },
      {
        words: "Runs",
        url: expect.stringMatching(/^https:\/\/github\.com\/octo\/hello_world\/actions\?query=branch%3A/),
      },
    ]);
    const odd = theJob({ pull_request: { number: 7, url: "javascript:alert(1)" } });
    expect(notice("job.merged", odd).links.every(({ url }) => url.startsWith("https://"))).toBe(true);
  });

  it("redacts secrets and hidden characters, and keeps a title on one line", () => {
    const { title, detail } = notice("job.failed", theJob({ title: "a\nb\u202ec" }), {
      failure: `the key is sk-ant-${"x".repeat(40)}`,
    });
    expect(title).toBe("a bc");
    expect(detail).toBe("the key is [secret]");
  });

  it("is sent unasked of what a person waits for or has to act on", () => {
    expect(CHAT_EVENTS).toEqual([
      ...["job.waiting_for_user", "job.verified", "job.merged", "job.failed", "job.cancelled"],
      ...[
        "schedule.paused",
        "budget.warning",
        "budget.exhausted",
        "account_budget.warning",
        "account_budget.exhausted",
      ],
    ]);
    expect(Object.keys(EVENT_SENTENCES).sort()).toEqual([...EVENT_NAMES].sort());
  });
});

describe("Slack", () => {
  it("gets a text for notifications, and blocks", () => {
    const asked = notice("job.waiting_for_user", theJob({ pull_request: PULL }), { question: "Red & blue?" });
    expect(slackMessage(asked)).toMatchInlineSnapshot(`
      {
        "blocks": [
          {
            "text": {
              "emoji": false,
              "text": "A job in octo/hello_world waits for an answer. The agent asks:
      Add a flag",
              "type": "plain_text",
            },
            "type": "section",
          },
          {
            "text": {
              "emoji": false,
              "text": "Red &amp; blue?",
              "type": "plain_text",
            },
            "type": "section",
          },
          {
            "text": {
              "text": "<https://github.com/octo/hello_world/pull/7|Pull request #7>  ·  <https://github.com/octo/hello_world/issues/12#issuecomment-99|Issue>  ·  <https://github.com/octo/hello_world/actions?query=branch%3Ajob%2F00000001|Runs>",
              "type": "mrkdwn",
              "verbatim": true,
            },
            "type": "section",
          },
        ],
        "mrkdwn": false,
        "text": "A job in octo/hello_world waits for an answer. The agent asks: Add a flag",
        "unfurl_links": false,
        "unfurl_media": false,
      }
    `);
  });

  it("finds no mention, link or markup in foreign words", () => {
    const { text, blocks } = slackMessage(hostile("<!channel> <@U123> <https://e.example|x> *b* & &lt;!here&gt;"));
    const foreign = slackBlocks(hostile("<!channel>")).filter(
      (block) => block.type === "section" && block.text?.type === "mrkdwn",
    );
    // the line of our own links alone is markup
    expect(foreign).toHaveLength(1);
    expect(JSON.stringify([text, blocks.slice(0, 2)])).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/);
    expect(text).toContain("&lt;!channel&gt; &lt;@U123&gt;");
    expect(text).toContain("&amp;lt;!here&amp;gt;");
  });
});

describe("Discord", () => {
  it("gets a sentence, an embed, and no right to mention anybody", () => {
    const failed = notice("job.failed", theJob({ pull_request: PULL }), { failure: "No tests ran." });
    expect(discordMessage(failed)).toMatchInlineSnapshot(`
      {
        "allowed_mentions": {
          "parse": [],
        },
        "content": "A job in octo/hello\\_world failed.",
        "embeds": [
          {
            "color": 13574702,
            "description": "No tests ran.

      [Pull request \\#7](https://github.com/octo/hello_world/pull/7) · [Issue](https://github.com/octo/hello_world/issues/12#issuecomment-99) · [Runs](https://github.com/octo/hello_world/actions?query=branch%3Ajob%2F00000001)",
            "timestamp": "2026-01-01T00:00:00.000Z",
            "title": "Add a flag",
            "url": "https://github.com/octo/hello_world/pull/7",
          },
        ],
      }
    `);
  });

  it("finds no markup, mention or address in foreign words", () => {
    const words = "# *b* _i_ ~~s~~ `c` ||s|| > q\n- l\n1. n\n[x](https://e.example) <@1> @everyone :bomb: \\*";
    const { embeds = [], allowed_mentions } = discordBody(hostile(words));
    expect(allowed_mentions).toEqual({ parse: [] });
    const [embed] = embeds;
    for (const text of [embed?.title, embed?.description?.split("\n\n")[0]]) {
      // each special character has its backslash
      expect(text?.replace(/\\[^0-9A-Za-z\s]/g, "")).not.toMatch(/[\\*_~`|<>@:#[\]()-]|^\s*\d+\./m);
      expect(text?.replace(/\\([^0-9A-Za-z\s])/g, "$1").replace(/\s+/g, " ")).toBe(words.replace(/\s+/g, " "));
    }
  });
});

describe("Teams", () => {
  it("gets an Adaptive Card that its own library takes", () => {
    const merged = notice("job.merged", theJob({ pull_request: PULL }));
    expect(teamsMessage(merged)).toMatchInlineSnapshot(`
      {
        "attachments": [
          {
            "content": {
              "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
              "actions": [
                {
                  "title": "Pull request #7",
                  "type": "Action.OpenUrl",
                  "url": "https://github.com/octo/hello_world/pull/7",
                },
                {
                  "title": "Issue",
                  "type": "Action.OpenUrl",
                  "url": "https://github.com/octo/hello_world/issues/12#issuecomment-99",
                },
                {
                  "title": "Runs",
                  "type": "Action.OpenUrl",
                  "url": "https://github.com/octo/hello_world/actions?query=branch%3Ajob%2F00000001",
                },
              ],
              "body": [
                {
                  "inlines": [
                    {
                      "color": "good",
                      "text": "A job in octo/hello_world is merged.",
                      "type": "TextRun",
                      "weight": "bolder",
                    },
                  ],
                  "type": "RichTextBlock",
                },
                {
                  "inlines": [
                    {
                      "text": "Add a flag",
                      "type": "TextRun",
                    },
                  ],
                  "type": "RichTextBlock",
                },
              ],
              "msteams": {
                "width": "Full",
              },
              "type": "AdaptiveCard",
              "version": "1.4",
            },
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
          },
        ],
        "type": "message",
      }
    `);
    for (const type of EVENT_NAMES)
      expect(
        cardMistakes(cardOf(notice(type, theJob({ pull_request: PULL }), { question: "q", failure: "f" }))),
      ).toEqual([]);
    expect(cardMistakes(cardOf(testNotice("2030-01-31T12:00:00.000Z")))).toEqual([]);
    const wrong = {
      ...cardOf(merged),
      body: [{ type: "RichText" }],
      actions: [{ type: "Action.OpenUrl", title: "x" }],
    };
    expect(cardMistakes(wrong)).toHaveLength(2);
  });

  it("finds no Markdown, mention or date in foreign words", () => {
    const { body } = cardOf(hostile("[x](https://e.example) **b** <at>Ada</at> {{DATE(2017-02-14T06:08:39Z)}}"));
    // text blocks have Markdown, text runs have none; a mention needs an entity of the card
    expect(new Set(body.map(({ type }) => type))).toEqual(new Set(["RichTextBlock"]));
    expect(cardOf(hostile("x")).msteams).toEqual({ width: "Full" });
    expect(JSON.stringify(body)).not.toContain("{{");
  });
});

test("every chat's limits hold whatever the words are, and no text is cut inside a character", () => {
  const words = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 6_000, size: "max" }),
    fc.constantFrom("&", "<", "*", "👩‍👩‍👧‍👦", "é", '"', "\\", "{{").map((one) => one.repeat(6_000)),
  );
  fc.assert(
    fc.property(words, words, (title, failure) => {
      const job = theJob({ title, pull_request: PULL });
      const long = notice("job.failed", job, { title, failure });
      const { text, blocks } = slackMessage(long);
      expect(text.length).toBeLessThanOrEqual(3_000);
      expect(blocks.length).toBeLessThanOrEqual(50);
      for (const block of blocks) expect(block.text.text.length).toBeLessThanOrEqual(3_000);
      const { content, embeds } = discordMessage(long);
      expect(content.length).toBeLessThanOrEqual(2_000);
      const [{ title: head = "", description = "" } = {}] = embeds;
      expect(head.length).toBeLessThanOrEqual(256);
      expect(description.length).toBeLessThanOrEqual(4_096);
      expect(content.length + head.length + description.length).toBeLessThanOrEqual(6_000);
      expect(Buffer.byteLength(chatBody("teams", long))).toBeLessThan(28 * 1024);
      for (const format of ["slack", "discord", "teams"] as const)
        expect(chatBody(format, long).isWellFormed()).toBe(true);
      // an escape is never cut in two
      expect(`${head} `).not.toMatch(/(?<!\\)(?:\\\\)*\\\s/);
      for (const block of blocks.slice(0, 2)) expect(block.text.text).not.toMatch(/&(?!amp;|lt;|gt;)/);
    }),
    { numRuns: 60 },
  );
});
