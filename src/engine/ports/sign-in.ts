/** Signing in with GitHub. */
import type { GitHubPerson } from "./accounts.ts";

/** The URL for the browser, and what later proves that we sent it there. */
export interface SignInBegun {
  readonly address: string;
  readonly state: string;
  readonly verifier: string;
}

export type SignedIn =
  | { readonly signed_in: true; readonly person: GitHubPerson }
  /**
   * `forged`: not the answer to our request. `denied`: the person declined. `spent`: GitHub rejects the code.
   * `misconfigured`: GitHub rejects our client settings.
   */
  | { readonly signed_in: false; readonly why: "forged" | "denied" | "spent" | "misconfigured" };

/** Identifies a person through GitHub; the token is not kept. */
export interface SignIn {
  begin(): Promise<SignInBegun>;
  /** Throws when GitHub does not answer. */
  finish(came_back_with: URLSearchParams, begun: Pick<SignInBegun, "state" | "verifier">): Promise<SignedIn>;
}
