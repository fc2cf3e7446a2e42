/** How long a server keeps what is over, in whole days; 0: for ever. */
export interface KeptDays {
  /** Finished jobs. */
  readonly jobs: number;
  /** Their logs. */
  readonly logs: number;
}

export const DEFAULT_KEPT_DAYS: KeptDays = { jobs: 400, logs: 90 };

/** Finished deliveries to webhooks. */
export const DELIVERIES_KEPT_DAYS = 7;
