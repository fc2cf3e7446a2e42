/**
 * Parses a provider's answer to `GET /v1/models`. Gateways return fewer fields, so only the name is required. Returns
 * null for an answer that is too long or not a list. Makes no calls.
 */
import * as z from "zod";
import { withoutDate } from "./models.ts";

export const MODEL_LIST_PATH = "/v1/models";
/** The largest page; the provider has a few dozen models and lists retired ones only on request. */
export const MODEL_LIST_QUERY = { limit: 1_000, lifecycle: ["active", "deprecated", "retired"] };
/** The list is optional, so nothing waits longer than this. */
export const MODEL_LIST_TIMEOUT_MS = 5_000;
const MAX_BYTES = 1024 * 1024;
const MAX_MODELS = 1_000;

export interface ListedModel {
  readonly id: string;
  readonly window: number | null;
  readonly output: number | null;
  /** Null when the provider does not say. */
  readonly lifecycle: "active" | "deprecated" | "retired" | null;
  /** Planned day of retirement. */
  readonly retires: string | null;
}

const tokens = z.number().int().positive().nullable().catch(null);
const model = z
  .object({
    id: z.string().min(1).max(200),
    max_input_tokens: tokens,
    max_tokens: tokens,
    lifecycle: z.enum(["active", "deprecated", "retired"]).nullable().catch(null),
    retires_at: z.iso.datetime({ offset: true }).nullable().catch(null),
  })
  .transform(
    ({ id, max_input_tokens: window, max_tokens: output, lifecycle, retires_at }): ListedModel => ({
      id,
      window,
      output,
      lifecycle,
      retires: retires_at?.slice(0, 10) ?? null,
    }),
  );
const answer = z.object({ data: z.array(z.unknown()).max(MAX_MODELS) });

/** Null when this is not a model list. */
export async function readModelList(response: Response): Promise<readonly ListedModel[] | null> {
  const text = response.ok ? await boundedText(response) : null;
  if (text === null) return null;
  try {
    const read = answer.safeParse(JSON.parse(text));
    if (!read.success) return null;
    return read.data.data.flatMap((one) => model.safeParse(one).data ?? []);
  } catch {
    return null;
  }
}

async function boundedText(response: Response): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Matches the exact name first, then other spellings of the same version. */
export const findListed = (list: readonly ListedModel[] | null, name: string): ListedModel | null =>
  list?.find(({ id }) => id === name) ?? list?.find(({ id }) => withoutDate(id) === withoutDate(name)) ?? null;
