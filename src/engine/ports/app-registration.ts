/** How a server gets its App: GitHub makes it from a manifest and hands its credentials over once. */
import type { Secret } from "../../contracts/secret.ts";

export interface RegisteredApp {
  readonly app_id: number;
  readonly name: string;
  /** Its page at GitHub. */
  readonly page_url: string;
  readonly client_id: string;
  readonly client_secret: Secret;
  readonly webhook_secret: Secret;
  readonly private_key: Secret;
}

export interface AppRegistration {
  /** What GitHub has for this code. Null: it knows no such code, or knows it no more. Throws when it cannot be asked. */
  claim(code: string): Promise<RegisteredApp | null>;
}
