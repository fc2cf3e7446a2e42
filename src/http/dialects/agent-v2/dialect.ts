/** The agent v2 dialect: create a job, poll it, send it messages, cancel and archive it. */
import type { Dialect } from "../dialect.ts";
import { NAME } from "./calls.ts";
import { agentV2Routes } from "./routes.ts";

export const agentV2Dialect: Dialect = {
  name: NAME,
  sections: {
    "agent v2": "The same jobs for scripts that were written for agents of this kind: create, poll, message.",
  },
  routes: agentV2Routes,
};
