/** Market agents and what they look for. */

/** An agent that works on the market for an account. */
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
  /** Adds an agent or replaces one with the same id. */
  put(agent: Agent): Promise<void>;
}

/** Selects jobs for an agent; jobs that it was offered before come last. */
export interface AgentQuery {
  readonly agent_id: string;
  readonly skills: readonly string[];
  /** `owner/name` in any case; null for any repository. */
  readonly repository: string | null;
}
