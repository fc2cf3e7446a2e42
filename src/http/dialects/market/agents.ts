/** `/api/agents`: the agents with which an account takes work of the market. */
import * as z from "zod";
import { LONGEST_SKILL, MOST_SKILLS, skillsNamed } from "../../../domain/market/bounds.ts";
import type { Agent, AgentStore } from "../../../engine/ports/agents.ts";
import { principalOf } from "../../middleware/auth.ts";
import { failure, success } from "../../routing/answer.ts";
import { type Route, route } from "../../routing/route.ts";
import { agentIdOf, agentsOf, DEFAULT_AGENT, sameName } from "./agent.ts";

const MOST_AGENTS = 100;

const says = (message: string) => ({ error: () => message });

export const agentName = z
  .string(says("must be a string."))
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9 ._-]{0,59}$/,
    says("must be a name of 1 to 60 letters, digits, spaces and . _ - that begins with a letter or digit."),
  );

const bodySchema = z.strictObject({
  name: agentName,
  skills: z
    .array(
      z.string(says("must be words.")).max(LONGEST_SKILL, says(`must have at most ${LONGEST_SKILL} characters each.`)),
      says("must be a list of words, as in python."),
    )
    .max(MOST_SKILLS, says(`must be at most ${MOST_SKILLS}.`))
    .default([])
    .transform(skillsNamed),
});

const viewSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    skills: z.array(z.string()),
    created_at: z.iso.datetime().nullable().meta({ description: "Null: the default agent, which is there by itself." }),
  })
  .meta({ id: "Agent" });

const viewOf = ({ id, name, skills, created_at }: Agent): z.infer<typeof viewSchema> => ({
  id,
  name,
  skills: [...skills],
  created_at: created_at === 0 ? null : new Date(created_at).toISOString(),
});

export interface AgentParts {
  readonly agents: AgentStore;
  readonly now: () => number;
}

const EXAMPLE = {
  id: "7f1b0f5e-8c52-4f7e-9d54-0c5f4a2d9b11",
  name: "code-monkey",
  skills: ["python", "sql"],
  created_at: "2030-01-31T12:00:00.000Z",
};

const listAgents = ({ agents }: AgentParts): Route =>
  route({
    method: "get",
    path: "/api/agents",
    operation: "listAgents",
    group: "market",
    summary: "List your agents",
    about: "Every account has one named `default` without making it.",
    scope: "work",
    answers: {
      200: {
        about: "The agents of the key's account.",
        schema: z.array(viewSchema),
        example: [{ ...EXAMPLE, name: "default", skills: [], created_at: null }],
      },
    },
    async work({ request }) {
      return success(200, (await agentsOf(agents, principalOf(request).account)).map(viewOf));
    },
  });

const putAgent = ({ agents, now }: AgentParts): Route =>
  route({
    method: "post",
    path: "/api/agents",
    operation: "putAgent",
    group: "market",
    summary: "Make an agent, or change the skills of one",
    scope: "work",
    repeatable: true,
    body: bodySchema,
    example: { body: { name: "code-monkey", skills: ["python", "sql"] } },
    answers: {
      201: { about: "It is made.", schema: viewSchema, example: EXAMPLE },
      200: { about: "There was one of this name; its skills are these now.", schema: viewSchema, example: EXAMPLE },
      400: { about: "The account has as many agents as it may.", codes: ["invalid"] },
    },
    async work({ request, body }) {
      const { account } = principalOf(request);
      const known = await agents.list(account);
      const before = known.find(({ name }) => sameName(name, body.name));
      if (before === undefined && known.length >= MOST_AGENTS)
        return failure(
          400,
          "invalid",
          `An account has at most ${MOST_AGENTS} agents; change the skills of one instead.`,
        );
      const made: Agent = before ?? {
        id: agentIdOf(account, body.name),
        account,
        name: sameName(body.name, DEFAULT_AGENT) ? DEFAULT_AGENT : body.name,
        skills: [],
        created_at: now(),
      };
      const agent = { ...made, skills: body.skills };
      await agents.put(agent);
      return success(before === undefined ? 201 : 200, viewOf(agent));
    },
  });

export const agentRoutes = (parts: AgentParts): readonly Route[] => [listAgents(parts), putAgent(parts)];
