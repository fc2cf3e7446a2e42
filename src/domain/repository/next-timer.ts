/** When time alone must wake a repository. */
import type { RepositoryState } from "./repository.ts";

/** Milliseconds since the epoch; null: nothing is due. */
export const nextTimerAt = ({ set_up }: Pick<RepositoryState, "set_up">): number | null => set_up.retry_at;
