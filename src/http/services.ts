/** The services that the API's routes use. A route group declares the few that it needs. */
import type { AccountLimits } from "../contracts/budget.ts";
import type { Secret } from "../contracts/secret.ts";
import type { Recorder } from "../engine/ports/audit.ts";
import type { Clock } from "../engine/ports/clock.ts";
import type { GitHubClient } from "../engine/ports/github.ts";
import type { LiveLogs } from "../engine/ports/live-logs.ts";
import type { Log } from "../engine/ports/log.ts";
import type { PaymentProvider } from "../engine/ports/payments.ts";
import type { PushTokens, RunTokens } from "../engine/ports/runs.ts";
import type { SealedBox } from "../engine/ports/sealed-box.ts";
import type { JobService } from "../engine/ports/service.ts";
import type { SignIn } from "../engine/ports/sign-in.ts";
import type { Store } from "../engine/ports/store.ts";
import type { Webhooks } from "../engine/ports/webhooks.ts";
import type { Metrics } from "./admin/metrics.ts";
import type { Authentication } from "./middleware/auth.ts";
import type { AuthThrottle } from "./middleware/wrong-key-throttling.ts";
import type { BodyThread } from "./server/body-thread.ts";

type Stores = Omit<Store, "inbox" | "writable" | "close">;

export interface ApiServices extends Stores {
  readonly service: JobService;
  /** What every account has that has no limits of its own. */
  readonly usual_account_limits: AccountLimits;
  readonly githubClient: GitHubClient;
  readonly webhooks: Webhooks;
  readonly logs: LiveLogs;
  readonly metrics: Metrics;
  readonly box: SealedBox;
  readonly record: Recorder;
  readonly log: Log;
  readonly clock: Clock;
  readonly now: () => number;
  readonly thread: BodyThread;
  readonly authentication: Authentication;
  readonly authThrottle: AuthThrottle;
  /** Null: the server has no address of its own, so no token can be meant for it. */
  readonly run_tokens: RunTokens | null;
  readonly push_tokens: PushTokens;
  /** Null: nobody can sign in. */
  readonly sign_in: SignIn | null;
  /** Null: this server takes no payments. */
  readonly paymentProvider: PaymentProvider | null;
  /** Null: nobody may ask for deadlines to be enforced. */
  readonly cron_secret: Secret | null;
  /** `owner/name` for keys and bodies that name none. */
  readonly default_repository: string | null;
  /** Of jobs whose repository names none. */
  readonly default_model: string;
  /** GitHub's pages, without a trailing slash. */
  readonly github_web_url: string;
  /** The App's, at GitHub; empty: GitHub was not reached yet. */
  readonly app_slug: () => string;
  /** Where this server is reached from outside; null: not known, so that addresses begin with their path. */
  readonly public_url: string | null;
}
