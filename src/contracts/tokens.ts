/**
 * All tokens, keys and secrets that Journeyman handles: where each is stored, for how long, and who sees it. Redaction
 * takes its shapes from this list, and the security page documents exactly these.
 */
export interface Token {
  readonly name: string;
  /** Where and in what form it is stored. */
  readonly lives: string;
  readonly lasts: string;
  /** Who sees its value. */
  readonly shown: string;
  /** Patterns that recognise it in text; a secret without a pattern is redacted by its value. */
  readonly shapes?: readonly RegExp[];
}

const SETTING = "the server's environment";
/** The set-up page puts it into the data folder, and it is not set then. */
const SETTING_OR_SEALED = "the server's environment, or sealed in `DATA_DIR`";
const UNTIL_CHANGED = "until you change it";
const NOBODY = "nobody";

export const TOKENS: readonly Token[] = [
  {
    name: "`PRIVATE_KEY` of the App",
    lives: SETTING_OR_SEALED,
    lasts: UNTIL_CHANGED,
    shown: "nobody; it signs tokens of ten minutes for GitHub",
    shapes: [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g],
  },
  { name: "`WEBHOOK_SECRET`", lives: SETTING_OR_SEALED, lasts: UNTIL_CHANGED, shown: NOBODY },
  { name: "`GITHUB_CLIENT_SECRET`", lives: SETTING_OR_SEALED, lasts: UNTIL_CHANGED, shown: "GitHub" },
  {
    name: "`API_KEY`",
    lives: "the server's environment, or a file of its own in `DATA_DIR`",
    lasts: UNTIL_CHANGED,
    shown: NOBODY,
  },
  {
    name: "the token of the set-up page",
    lives: "the server's memory",
    lasts: "until it is used, or the server has its App or ends",
    shown: "whoever reads what the server prints at its start",
  },
  {
    name: "the cookies of the set-up page",
    lives: "the browser of whoever had that token, sealed",
    lasts: "an hour; they open nothing once there is an App",
    shown: "that browser, which cannot read them",
  },
  { name: "`CRON_SECRET`", lives: SETTING, lasts: UNTIL_CHANGED, shown: NOBODY },
  { name: "`STRIPE_SECRET_KEY`", lives: SETTING, lasts: UNTIL_CHANGED, shown: "Stripe" },
  {
    name: "`STRIPE_WEBHOOK_SECRET`",
    lives: SETTING,
    lasts: UNTIL_CHANGED,
    shown: NOBODY,
    shapes: [/\bwhsec_[A-Za-z0-9+/=]{16,}/g],
  },
  {
    name: "`ENCRYPTION_KEY`",
    lives: "the server's environment, or a file of its own in `DATA_DIR`",
    lasts: "as long as anything that is sealed with it",
    shown: NOBODY,
  },
  {
    name: "`ANTHROPIC_API_KEY` of the server (quotes, judge)",
    lives: SETTING,
    lasts: UNTIL_CHANGED,
    shown: "the provider",
    shapes: [/\bsk-ant-[A-Za-z0-9_-]{16,}/g, /\bsk-[A-Za-z0-9_-]{24,}/g],
  },
  {
    name: "the repository's key for the model",
    lives: "its secrets at GitHub; in a run, the gateway's container",
    lasts: UNTIL_CHANGED,
    shown: "the provider; never the agent's container",
  },
  {
    name: "`AGENT_LLM_*` of the repository",
    lives: "its secrets at GitHub; in a run, the agent's container",
    lasts: UNTIL_CHANGED,
    shown: "whatever the model runs: that is what they are for",
    shapes: [/\bAKIA[0-9A-Z]{16}\b/g],
  },
  {
    name: "tokens of the installation (`ghs_…`)",
    lives: "the server's memory",
    lasts: "an hour; dropped at a 401 and at news of the installation",
    shown: "GitHub",
    // `ghs_<app>_<JWT>`: about 520 characters with dots, dashes and underscores. The pattern assumes no length.
    shapes: [/\bgh[pousr]_[A-Za-z0-9_.-]{16,}/g, /\bgithub_pat_[A-Za-z0-9_]{20,}/g],
  },
  {
    name: "a run's token to push with",
    lives: "the run action, in memory",
    lasts: "an hour; one repository, `contents: write` alone",
    shown: "the run that it was made for, and git there; never a container",
  },
  {
    name: "the workflow's `GITHUB_TOKEN`",
    lives: "the run action, in memory",
    lasts: "the workflow's run",
    shown: "git there; never a container",
  },
  {
    name: "a run's identity (OIDC)",
    lives: "the run action, in memory",
    lasts: "minutes, as GitHub says",
    shown: "the server that is its audience; never a container",
  },
  {
    name: "a run's identity for the model's provider (OIDC), where the repository has no key",
    lives: "the run action and the gateway's container, in memory",
    lasts: "minutes, as GitHub says; each is exchanged once",
    shown: "the provider, which is its audience; never the agent's container",
  },
  {
    name: "what the provider gives in exchange for it (`sk-ant-oat…`)",
    lives: "the gateway's container, in memory",
    lasts: "minutes, as the provider says",
    shown: "the provider; never the agent's container",
  },
  {
    name: "a run's token for caches (`ACTIONS_RUNTIME_TOKEN`), where the settings have `cache`",
    lives: "the run action, in memory",
    lasts: "the workflow's run",
    shown: "GitHub's cache service; never a container",
  },
  {
    name: "a person's token from signing in",
    lives: "the server's memory",
    lasts: "one question; then it is taken back",
    shown: "GitHub",
  },
  {
    name: "the cookie of a sign-in",
    lives: "the person's browser, sealed",
    lasts: "ten minutes",
    shown: "the browser that began it, which cannot read it",
  },
  {
    name: "keys of the API (`jm_…`)",
    lives: "`DATA_DIR`, as a hash",
    lasts: "until its end, its rotation or its revocation, which takes the successors along",
    shown: "whoever made it, once",
    shapes: [/\bjm_[A-Za-z0-9_-]{24,}/g],
  },
  {
    name: "secrets of webhooks (`whsec_…`)",
    lives: "`DATA_DIR`, sealed",
    lasts: "until the webhook is deleted or its secret is changed",
    shown: "whoever made the webhook, once",
  },
  {
    name: "addresses of chats (webhooks of Slack, Discord and Teams)",
    lives: "`DATA_DIR`, sealed",
    lasts: "until the webhook is deleted or has another",
    shown: "the chat; nobody else again",
    shapes: [
      /\bhttps:\/\/hooks\.slack(?:-gov)?\.com\/[A-Za-z0-9_/-]{16,}/g,
      /\bhttps:\/\/(?:ptb\.|canary\.)?discord(?:app)?\.com\/api\/(?:v\d{1,3}\/)?webhooks\/\d{1,30}\/[A-Za-z0-9_-]{16,}/g,
      /[?&]sig=[A-Za-z0-9_%-]{16,}/g,
    ],
  },
  {
    name: "secrets of triggers (`whsec_…`)",
    lives: "`DATA_DIR`, sealed",
    lasts: "until another is issued, and 24 hours more unless it was lost; until the App is uninstalled",
    shown: "whoever issued it, once",
  },
  {
    name: "`envVars` of an order of the market",
    lives: "`DATA_DIR`, sealed",
    lasts: "until the job is over",
    shown: "the worker that accepts the job",
  },
];
