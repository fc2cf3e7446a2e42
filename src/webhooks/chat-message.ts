/**
 * Writes a notice as the message of a chat, so that the chat obeys nothing foreign in it: no mention, no markup, no link.
 * Every text keeps to the chat's limits as it is sent.
 */
import type { Tone } from "../domain/job/event-sentences.ts";
import type { ChatFormat } from "../domain/webhook-format.ts";
import { cut } from "../text/text.ts";
import type { Notice } from "./notice.ts";

type Escape = (text: string) => string;

/** Cuts a text so that it has at most `max` characters after it was escaped, and ends in no half of an escape. */
function fitted(text: string, max: number, escaped: Escape): string {
  let room = Math.min(text.length, max);
  let shown = escaped(cut(text, room));
  while (shown.length > max) {
    room = Math.floor((room * max) / shown.length) - 1;
    shown = escaped(cut(text, room));
  }
  return shown;
}

const filled = (...texts: readonly string[]): readonly string[] => texts.filter((text) => text !== "");

/** https://docs.slack.dev/reference/block-kit/blocks/section-block */
const SLACK_SECTION = 3_000;

const SLACK_ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
/** What Slack parses stands between `<` and `>`, mentions as well. */
const escapeSlack: Escape = (text) => text.replace(/[&<>]/g, (character) => SLACK_ENTITIES[character] ?? character);

/** Plain text: Slack looks for no markup, emoji or mention in it. */
const slackSection = (text: string) =>
  ({
    type: "section",
    text: { type: "plain_text", text: fitted(text, SLACK_SECTION, escapeSlack), emoji: false },
  }) as const;

/** An incoming webhook's message. `text` is what a notification shows. */
export function slackMessage({ sentence, title, detail, links }: Notice) {
  const shown = links.map(({ words, url }) => `<${escapeSlack(url)}|${escapeSlack(words)}>`).join("  ·  ");
  const about = { type: "section", text: { type: "mrkdwn", text: shown, verbatim: true } } as const;
  return {
    text: fitted(filled(sentence, title).join(" "), SLACK_SECTION, escapeSlack),
    ...{ mrkdwn: false, unfurl_links: false, unfurl_media: false },
    blocks: [
      slackSection(filled(sentence, title).join("\n")),
      ...filled(detail).map(slackSection),
      ...(links.length === 0 ? [] : [about]),
    ],
  };
}

/** https://discord.com/developers/docs/resources/message#embed-object-embed-limits */
const DISCORD = { content: 2_000, title: 256, description: 4_096 } as const;

const DISCORD_COLOURS: Readonly<Record<Tone, number>> = {
  ...{ good: 0x2da44e, bad: 0xcf222e, asks: 0xbf8700, plain: 0x6e7781 },
};

/** Markup, mentions (`<@`), emoji (`:`), and addresses, which would become links; a number with a dot begins a list. */
const escapeDiscord: Escape = (text) =>
  text.replace(/[\\*_~`|<>@:#+[\]()-]/g, "\\$&").replace(/^([ \t]*\d+)(?=\.)/gm, "$1\\");

/** What a webhook of Discord executes. Foreign words stand in the embed alone, for whose addresses no preview is made. */
export function discordMessage({ sentence, tone, title, detail, links, at }: Notice) {
  const shown = links.map(({ words, url }) => `[${escapeDiscord(words)}](${url})`).join(" · ");
  const room = DISCORD.description - shown.length - "\n\n".length;
  const description = filled(fitted(detail, room, escapeDiscord), shown).join("\n\n");
  const embed = {
    ...(title === "" ? {} : { title: fitted(title, DISCORD.title, escapeDiscord) }),
    ...(links[0] === undefined ? {} : { url: links[0].url }),
    ...(description === "" ? {} : { description }),
    ...{ color: DISCORD_COLOURS[tone], timestamp: at },
  };
  return {
    content: fitted(sentence, DISCORD.content, escapeDiscord),
    embeds: filled(title, description).length === 0 ? [] : [embed],
    allowed_mentions: { parse: [] },
  };
}

const TEAMS_COLOURS = { good: "good", bad: "attention", asks: "warning", plain: "default" } as const;

/** Cards replace `{{DATE(…)}}` and `{{TIME(…)}}` in every text. */
const escapeTeams: Escape = (text) => text.replaceAll("{{", "{\u200b{");

/**
 * A text run knows no Markdown and makes no links, unlike a text block. A text that becomes no longer than the notice's
 * keeps the message far below the 28 KB that Teams takes.
 */
const teamsText = (text: string, looks: object = {}) => ({
  type: "RichTextBlock",
  inlines: [{ type: "TextRun", text: escapeTeams(text), ...looks }],
});

/** What a workflow of Teams posts that begins with a webhook. */
export function teamsMessage({ sentence, tone, title, detail, links }: Notice) {
  const card = {
    $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
    ...{ type: "AdaptiveCard", version: "1.4", msteams: { width: "Full" } },
    body: [
      teamsText(sentence, { weight: "bolder", color: TEAMS_COLOURS[tone] }),
      ...filled(title, detail).map((text) => teamsText(text)),
    ],
    actions: links.map(({ words, url }) => ({ type: "Action.OpenUrl", title: words, url })),
  };
  const attachment = { contentType: "application/vnd.microsoft.card.adaptive", contentUrl: null, content: card };
  return { type: "message", attachments: [attachment] };
}

const MESSAGES: Readonly<Record<ChatFormat, (notice: Notice) => object>> = {
  slack: slackMessage,
  discord: discordMessage,
  teams: teamsMessage,
};

export const chatBody = (format: ChatFormat, notice: Notice): string => JSON.stringify(MESSAGES[format](notice));
