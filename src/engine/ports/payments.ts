/** Payments from outside. */

/** A movement of money outside, or news of one (no cents), as a payment provider tells it. */
export interface PaymentEvent {
  /** Of what it is about, however many events tell of it. */
  readonly id: string;
  readonly account: string;
  /** Positive: the account gains. */
  readonly cents: number;
  readonly reason: "topup" | "dispute" | "topup_refund";
  /** For the audit log. */
  readonly action: string;
}

/** Takes money from outside. */
export interface PaymentProvider {
  /** A page on which this account can pay that much, the same for the same `key`; null: the provider cannot be asked. */
  checkout(asked: {
    readonly account: string;
    readonly cents: number;
    readonly key: string | null;
  }): Promise<{ readonly id: string; readonly url: string } | null>;
  /** What a signed event means; `forged`: it is not the provider's. `away`: that has to be asked for, and cannot be just now. */
  readEvent(
    body: Buffer,
    signature: string,
  ): Promise<{ readonly event: string; readonly movements: readonly PaymentEvent[] } | "forged" | "away">;
}
