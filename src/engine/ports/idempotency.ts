/** Requests with an `Idempotency-Key` and their stored responses. */
import type { JobId } from "../../domain/job/job.ts";

/** A response, stored to be repeated. */
export interface StoredResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Null: no body. */
  readonly body: Readonly<Record<string, unknown>> | readonly unknown[] | null;
}

/** A request that must not be executed twice. */
export interface IdempotentRequest {
  /** Hash of caller, route and key: 64 hexadecimal digits. */
  readonly scope: string;
  /** Hash of the request; a different one in the same scope is a different request. */
  readonly fingerprint: string;
  /** Identifies its work when the request is resumed. */
  readonly work_id: JobId;
  readonly at: number;
}

export type Begun =
  | { readonly kind: "new" }
  | { readonly kind: "same"; readonly answer: StoredResponse }
  /** Begun and neither finished nor released, perhaps by a process that has ended; `work_id` as recorded then. */
  | { readonly kind: "running"; readonly work_id: JobId }
  | { readonly kind: "other_body" };

/** Kept for a day and up to a number; the oldest are deleted first. */
export interface IdempotencyStore {
  /** Resolves with `new` when the record is on the disk. */
  begin(request: IdempotentRequest): Promise<Begun>;
  /** Resolves when the response is on the disk. */
  finish(scope: string, answer: StoredResponse): Promise<void>;
  /** Frees the scope. */
  release(scope: string): Promise<void>;
}
