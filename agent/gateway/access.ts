/** What authenticates the gateway's calls to the provider. */
import type { ModelError } from "./errors.ts";
import type { KeyRedactor } from "./key-redactor.ts";

export interface Authorization {
  readonly headers: Readonly<Record<string, string>>;
  /** Beta features that the provider wants named with these headers. */
  readonly betas: readonly string[];
  /** Takes what authenticates out of the provider's answers. */
  readonly redactor: KeyRedactor;
}

export type Authorized =
  | { readonly ok: true; readonly authorization: Authorization }
  | { readonly ok: false; readonly error: ModelError };

export interface Access {
  authorize(): Promise<Authorized>;
  /** After a 401. Returns whether the next authorization is another one. */
  renew(): boolean;
}

/** The same for the whole run, such as a key. */
export const fixedAccess = (authorized: Authorized): Access => ({
  authorize: async () => authorized,
  renew: () => false,
});
