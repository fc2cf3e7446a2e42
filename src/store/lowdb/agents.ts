/** Agents of the market: one lowdb file per account, all cached in memory, since there are few. */
import * as z from "zod";
import { accountNamed } from "../../domain/job/account.ts";
import type { Agent, AgentStore } from "../../engine/ports/agents.ts";
import type { Folder } from "./disk.ts";
import { readRecord, writeRecord } from "./formats.ts";
import { type Format, readFile, writeFile } from "./json-file.ts";

const ENDING = ".json";

const agentsFile = z.object({
  agents: z.array(
    z.object({
      id: z.string(),
      account: z.string(),
      name: z.string(),
      skills: z.array(z.string()),
      created_at: z.number(),
    }),
  ),
});

const format: Format<readonly Agent[]> = {
  parse: (text) => agentsFile.parse(readRecord("agents", text)).agents,
  write: (agents) => writeRecord("agents", { agents }),
};

const fileOf = (account: string): string => `${encodeURIComponent(account)}${ENDING}`;

export class LowdbAgents implements AgentStore {
  readonly #folder: Folder;
  readonly #agents = new Map<string, readonly Agent[]>();

  constructor(folder: Folder) {
    this.#folder = folder;
    for (const name of folder.takeFound(ENDING)) {
      const agents = readFile(folder, name, format)?.data ?? [];
      const account = agents[0]?.account;
      if (account !== undefined) this.#agents.set(account, agents);
    }
  }

  async list(account: string): Promise<readonly Agent[]> {
    return this.#agents.get(accountNamed(account)) ?? [];
  }

  async put(agent: Agent): Promise<void> {
    const account = accountNamed(agent.account);
    const before = this.#agents.get(account) ?? [];
    const known = before.some(({ id }) => id === agent.id);
    const next = known ? before.map((one) => (one.id === agent.id ? agent : one)) : [...before, agent];
    this.#agents.set(account, writeFile(this.#folder, fileOf(account), format, next).data);
  }
}
