/** Wires everything that reaches GitHub: Probot, the client, the performer of effects and the App's identity. */
import { type Logger, Probot } from "probot";
import type { TranslatedEvent } from "../../domain/job/github-event.ts";
import { systemClock } from "../../engine/clock.ts";
import type { Clock } from "../../engine/ports/clock.ts";
import type { GitHubClient } from "../../engine/ports/github.ts";
import type { Performer, RepositoryPerformer } from "../../engine/ports/performer.ts";
import type { PushTokens } from "../../engine/ports/runs.ts";
import type { SignIn } from "../../engine/ports/sign-in.ts";
import { type AppIdentity, askAppIdentity, createAppIdentity } from "../../github/client/app-identity.ts";
import { createSignIn } from "../../github/client/oauth.ts";
import { createOctokits, type Octokits } from "../../github/client/octokit.ts";
import { createPushTokens } from "../../github/client/push-tokens.ts";
import { createPerformer, type PerformerParts } from "../../github/effects/perform.ts";
import { createRepositoryPerformer } from "../../github/effects/perform-on-repository.ts";
import { translateWebhook } from "../../github/events/translate.ts";
import { createGitPushes } from "../../github/git/push.ts";
import { createGitHubClient } from "../../github/github-client.ts";
import type { Settings } from "../settings.ts";

/** GitHub as the rest of the App sees it. */
export interface GitHub extends Pick<Octokits, "budget" | "ahead"> {
  readonly probot: Probot;
  readonly client: GitHubClient;
  readonly performer: (parts: Omit<PerformerParts, "source" | "self" | "web_url">) => Performer;
  readonly repositoryPerformer: RepositoryPerformer;
  /** Which App this is, as it was answered first. */
  readonly identity: () => Promise<AppIdentity>;
  /** Asks for the identity once more: whether GitHub still accepts the App's credentials. */
  readonly checkCredentials: () => Promise<AppIdentity>;
  readonly pushTokens: PushTokens;
}

/** At debug Probot logs every request to GitHub with its body, which holds the task's text: so it logs from info on. */
const withoutBodies = (log: Logger): Logger => (log.isLevelEnabled("debug") ? log.child({}, { level: "info" }) : log);

export function connectGitHub(settings: Settings, log: Logger, { now }: Clock): GitHub {
  const { Octokit, source: sourceOf, budget, ahead } = createOctokits(now, settings.pushes_per_minute);
  const probot = new Probot({
    appId: settings.app_id,
    privateKey: settings.private_key.reveal(),
    secret: settings.webhook_secret.reveal(),
    baseUrl: settings.github_api_url,
    Octokit,
    log: withoutBodies(log),
  });
  const source = sourceOf(probot);
  const identity = createAppIdentity(source);
  const { run_action, github_web_url: web_url } = settings;
  const pushes = createGitPushes(web_url, now, settings.private_key);
  return {
    ...{ probot, budget, ahead, identity },
    client: createGitHubClient({ source, self: identity, run_action, pushes }),
    performer: (parts) => createPerformer({ ...parts, source, self: identity, run_action, web_url, pushes }),
    repositoryPerformer: createRepositoryPerformer({ source, self: identity, run_action }),
    checkCredentials: () => askAppIdentity(source),
    pushTokens: createPushTokens(source),
  };
}

export interface EventTranslator {
  readonly self: () => { readonly appId: number; readonly slug: string };
  readonly translate: (event: string, payload: unknown) => TranslatedEvent;
}

/** While GitHub does not answer, it is not asked more often than this. */
const ASK_AGAIN_MS = 30_000;

/**
 * Translates webhooks. Events that the App caused itself are recognised as soon as GitHub has told the App's name; until
 * then they are processed like anybody's, which is harmless, so a server starts while GitHub is away.
 */
export function createEventTranslator(
  appId: number,
  identity: GitHub["identity"],
  log: Pick<Logger, "debug">,
): EventTranslator {
  let slug = "";
  let asked_at = Number.NEGATIVE_INFINITY;
  const learn = (): void => {
    const now = systemClock.now();
    if (now - asked_at < ASK_AGAIN_MS) return;
    asked_at = now;
    identity().then(
      (known) => {
        slug = known.slug;
      },
      (error: unknown) =>
        log.debug(
          { err: error },
          "cannot ask GitHub for the App's name; if this repeats, check that PRIVATE_KEY belongs to APP_ID",
        ),
    );
  };
  learn();
  const self: EventTranslator["self"] = () => {
    if (slug === "") learn();
    return { appId, slug };
  };
  return { self, translate: (event, payload) => translateWebhook(event, payload, self()) };
}

/** Null: the settings do not let people sign in. */
export function signInOf(settings: Settings, log: Pick<Logger, "warn">): SignIn | null {
  const { github_client, public_url, github_web_url, github_api_url } = settings;
  if (github_client === null || public_url === null) return null;
  return createSignIn({
    client_id: github_client.id,
    client_secret: github_client.secret,
    redirect_uri: `${public_url}/keys/callback`,
    web_url: github_web_url,
    api_url: github_api_url,
    kept: (error) => log.warn({ err: error }, "GitHub did not revoke the token of somebody who signed in"),
  });
}
