/** Payments from external providers. */

/** A movement of money at the provider, or a notice about one (no cents). */
export interface PaymentEvent {
  /** Derived from the payment, so that repeated events have the same id. */
  readonly id: string;
  readonly account: string;
  /** Positive: the account receives money. */
  readonly cents: number;
  readonly reason: "topup" | "dispute" | "topup_refund";
  /** For the audit log. */
  readonly action: string;
}

/** A payment provider. */
export interface PaymentProvider {
  /**
   * A page where this account can pay this amount; the same page for the same `key`. Null when the provider does not
   * answer.
   */
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
