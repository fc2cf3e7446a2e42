/**
 * Caches the provider's model list. It is fetched every few hours at most, and callers wait only briefly. If it is
 * unavailable, the built-in table suffices.
 */
import type Anthropic from "@anthropic-ai/sdk";
import {
  type ListedModel,
  MODEL_LIST_PATH,
  MODEL_LIST_QUERY,
  MODEL_LIST_TIMEOUT_MS,
  readModelList,
} from "../contracts/model-list.ts";

const ASK_AGAIN_MS = 6 * 60 * 60_000;
const ASK_AGAIN_AFTER_FAILURE_MS = 10 * 60_000;

export interface ListedModels {
  /** The cached list at once; starts a refresh when it is old. Null when nothing was fetched yet. */
  last(): readonly ListedModel[] | null;
  /** The list, waiting for a fetch if necessary. */
  read(): Promise<readonly ListedModel[] | null>;
}

export function createListedModels(client: () => Promise<Anthropic>, now: () => number): ListedModels {
  let list: readonly ListedModel[] | null = null;
  let due = Number.NEGATIVE_INFINITY;
  let asking: Promise<readonly ListedModel[] | null> | null = null;

  const ask = async (): Promise<readonly ListedModel[] | null> => {
    try {
      const signal = AbortSignal.timeout(MODEL_LIST_TIMEOUT_MS);
      const once = { query: MODEL_LIST_QUERY, maxRetries: 0, timeout: MODEL_LIST_TIMEOUT_MS, signal };
      return await readModelList(await (await client()).get(MODEL_LIST_PATH, once).asResponse());
    } catch {
      return null;
    }
  };
  const read = async (): Promise<readonly ListedModel[] | null> => {
    if (now() < due) return list;
    asking ??= ask().then((said) => {
      list = said ?? list;
      due = now() + (said === null ? ASK_AGAIN_AFTER_FAILURE_MS : ASK_AGAIN_MS);
      asking = null;
      return list;
    });
    return asking;
  };
  return {
    read,
    last() {
      void read();
      return list;
    },
  };
}
