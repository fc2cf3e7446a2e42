/** Agents of an account: their names and ids, and the default agent that every account has. */
import { hash } from "node:crypto";
import type { Agent, AgentStore } from "../../../engine/ports/agents.ts";
import { failure, type HttpResult } from "../../routing/answer.ts";

export const DEFAULT_AGENT = "default";

const uuidOf = (digest: string): string => {
  const parts = [digest.slice(0, 8), digest.slice(8, 12), `8${digest.slice(13, 16)}`, `8${digest.slice(17, 20)}`];
  return [...parts, digest.slice(20, 32)].join("-");
};

/** From account and name, so that two who make the same agent at once make one. */
export const agentIdOf = (account: string, name: string): string =>
  uuidOf(hash("sha256", JSON.stringify([account, name.toLowerCase()]), "hex"));

export const defaultAgentId = (account: string): string => agentIdOf(account, DEFAULT_AGENT);

const defaultAgent = (account: string): Agent => ({
  id: defaultAgentId(account),
  account,
  name: DEFAULT_AGENT,
  skills: [],
  created_at: 0,
});

/** All agents of the account, the default one among them. */
export async function agentsOf(agents: AgentStore, account: string): Promise<readonly Agent[]> {
  const known = await agents.list(account);
  return known.some(({ id }) => id === defaultAgentId(account)) ? known : [defaultAgent(account), ...known];
}

export const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

const NO_AGENT = failure(
  404,
  "agent_not_found",
  "This account has no such agent; GET /api/agents lists them, POST /api/agents makes one.",
);

/** The agent that is named by id, by name, by both, or by neither. */
export async function namedAgent(
  agents: AgentStore,
  account: string,
  { agent_id, agent_name }: { readonly agent_id: string | null; readonly agent_name: string | null },
): Promise<Agent | HttpResult> {
  const all = await agentsOf(agents, account);
  const found = all.find(
    ({ id, name }) =>
      (agent_id === null || id === agent_id) &&
      sameName(name, agent_name ?? (agent_id === null ? DEFAULT_AGENT : name)),
  );
  return found ?? NO_AGENT;
}
