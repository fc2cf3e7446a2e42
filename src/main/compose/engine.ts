/** Wires the engine to its store and to GitHub: what the server, Actions mode, tests and benches have in common. */
import type { KeptDays } from "../../contracts/retention.ts";
import type { ModelDefaults } from "../../domain/job/model-selection.ts";
import type { QuotaLimits } from "../../domain/job/quotas.ts";
import { createRecorder } from "../../engine/audit-record.ts";
import { systemClock } from "../../engine/clock.ts";
import { createEngine, type EngineParts } from "../../engine/engine.ts";
import { createIds } from "../../engine/ids.ts";
import type { Judge } from "../../engine/ports/judge.ts";
import type { Engine } from "../../engine/ports/service.ts";
import type { GitHub } from "./github.ts";

export interface EngineSettings {
  readonly llm: ModelDefaults;
  readonly quotas?: QuotaLimits;
  readonly public_url?: string | null;
  /** Whether pull requests that set repositories up are opened; missing: not. */
  readonly offers_set_up?: boolean;
  readonly kept_days?: KeptDays;
}

/** What has a usual value. */
type Usual = Partial<Pick<EngineParts, "clock" | "ids" | "record">>;
type Wired =
  | "clock"
  | "ids"
  | "record"
  | "performer"
  | "repositoryPerformer"
  | "githubClient"
  | "llm"
  | "quotas"
  | "offers_set_up"
  | "kept_days";

export interface EngineNeeds extends Omit<EngineParts, Wired>, Usual {
  readonly github: Pick<GitHub, "client" | "performer" | "repositoryPerformer">;
  /** Reviews the market's work; null or missing: nobody does. */
  readonly judge?: Judge | null;
}

export function composeEngine(settings: EngineSettings, { github, judge = null, ...needs }: EngineNeeds): Engine {
  const { store, log, clock = systemClock } = needs;
  const { llm, quotas, public_url = null, offers_set_up = false, kept_days } = settings;
  const performer = github.performer({
    repositories: store.repositories,
    ...{ llm, judge, public_url },
    log: async (id) => (await store.jobLog.read(id))?.lines ?? [],
    blobs: store.blobs,
    accounts: store.accounts,
  });
  return createEngine({
    ...needs,
    clock,
    ids: needs.ids ?? createIds(clock),
    record: needs.record ?? createRecorder({ audit: store.audit, clock, log }),
    performer,
    repositoryPerformer: github.repositoryPerformer,
    githubClient: github.client,
    ...{ llm, quotas, offers_set_up, ...(kept_days === undefined ? {} : { kept_days }) },
  });
}
