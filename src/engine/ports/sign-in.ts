/** Signing in with GitHub. */
import type { GitHubPerson } from "./accounts.ts";

/** What a browser takes along to GitHub, and what proves afterwards that we sent it there. */
export interface SignInBegun {
  readonly address: string;
  readonly state: string;
  readonly verifier: string;
}

export type SignedIn =
  | { readonly signed_in: true; readonly person: GitHubPerson }
  /**
   * `forged`: not the answer to what we began. `denied`: the person did not want to. `spent`: GitHub does not take the
   * code, or not from us. `misconfigured`: GitHub does not know our client by these settings.
   */
  | { readonly signed_in: false; readonly why: "forged" | "denied" | "spent" | "misconfigured" };

/** Signing in with GitHub: says who somebody is. What GitHub gives for that is not kept. */
export interface SignIn {
  begin(): Promise<SignInBegun>;
  /** Throws when GitHub cannot be asked. */
  finish(came_back_with: URLSearchParams, begun: Pick<SignInBegun, "state" | "verifier">): Promise<SignedIn>;
}
