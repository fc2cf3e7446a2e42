/** Agents of the market and what they look for. */

/** Somebody of the market that works for an account. */
export interface Agent {
  readonly id: string;
  readonly account: string;
  readonly name: string;
  /** In lower case. */
  readonly skills: readonly string[];
  readonly created_at: number;
}

export interface AgentStore {
  /** The account's agents, oldest first. */
  list(account: string): Promise<readonly Agent[]>;
  /** A new one, or one of the same id with other skills. */
  put(agent: Agent): Promise<void>;
}

/** What an agent is offered: never what it was offered before while there is something else. */
export interface Looking {
  readonly agent_id: string;
  readonly skills: readonly string[];
  /** `owner/name` in any case; null: any. */
  readonly repository: string | null;
}
