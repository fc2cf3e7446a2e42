/** Finds the trigger that an address names, and opens its secrets. */
import type { Secret } from "../../contracts/secret.ts";
import type { RepositoryState } from "../../domain/repository/repository.ts";
import { triggerKey, triggerState } from "../../domain/repository/triggers.ts";
import type { SealedBox } from "../../engine/ports/sealed-box.ts";

type Trigger = RepositoryState["automation"]["triggers"][number];

/** For so long the secret before counts as well. */
export const OVERLAP_MS = 24 * 3_600_000;

export const secretPurpose = (repository_id: number, name: string): string =>
  `secret of the trigger ${triggerKey(name)} of repository ${repository_id}`;

const pathOf = (path: string): string => path.replace(/^\//, "");

/** By its name; else the first with this `watch_path`, written without its first slash. */
export function findTrigger(
  { automation: { triggers } }: Pick<RepositoryState, "automation">,
  named: string,
): Trigger | null {
  const key = triggerKey(named);
  const byPath = ({ watch_path }: Trigger): boolean => watch_path !== undefined && pathOf(watch_path) === pathOf(named);
  const called = triggers.filter(({ on }) => on === undefined);
  return called.find(({ name }) => triggerKey(name) === key) ?? called.find(byPath) ?? null;
}

/** All that count now; throws where one cannot be opened. */
export function secretsOf(
  box: Pick<SealedBox, "open">,
  state: Pick<RepositoryState, "id" | "triggers">,
  name: string,
  now: number,
): readonly Secret[] {
  const { secret, old_secret } = triggerState(state, name);
  const purpose = secretPurpose(state.id, name);
  const sealed = [secret?.sealed, old_secret !== null && old_secret.until > now ? old_secret.sealed : undefined];
  return sealed.flatMap((one) => (one === undefined ? [] : [box.open(one, purpose)]));
}
