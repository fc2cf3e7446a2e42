/** Requests with an `Idempotency-Key` and the answers that are repeated for them. */
import type { JobId } from "../../domain/job/job.ts";

/** An answer as it was given, to be given again. */
export interface StoredResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Null: no body. */
  readonly body: Readonly<Record<string, unknown>> | readonly unknown[] | null;
}

/** A request that must not be worked on twice. */
export interface IdempotentRequest {
  /** Whose request of which route and key this is: 64 hexadecimal digits. */
  readonly scope: string;
  /** What was asked; another one under the same scope is another request. */
  readonly fingerprint: string;
  /** Under which its work is found again by whoever has to go on with it. */
  readonly work_id: JobId;
  readonly at: number;
}

export type Begun =
  | { readonly kind: "new" }
  | { readonly kind: "same"; readonly answer: StoredResponse }
  /** Begun before and neither finished nor released, maybe by a process that is gone; `work_id` as it was recorded then. */
  | { readonly kind: "running"; readonly work_id: JobId }
  | { readonly kind: "other_body" };

/** Requests with an `Idempotency-Key` and what they were answered, for a day and up to a number; the oldest go first. */
export interface IdempotencyStore {
  /** Resolves with `new` when the record is on disk. */
  begin(request: IdempotentRequest): Promise<Begun>;
  /** Resolves when the answer is on disk. */
  finish(scope: string, answer: StoredResponse): Promise<void>;
  /** The scope is free again. */
  release(scope: string): Promise<void>;
}
