/**
 * One measured server in a process of its own, so that its CPU time is nobody else's. Started by `http.ts` with what to
 * serve; says its port, and its CPU time whenever it is asked.
 */
import { z } from "zod";
import { compose } from "../../src/compose.ts";
import { readSettings } from "../../src/settings.ts";
import { expressFloor, webhookFloor } from "./http-floors.ts";

export const roleSchema = z.discriminatedUnion("serve", [
  z.object({ serve: z.literal("ours"), env: z.record(z.string(), z.string()) }),
  z.object({ serve: z.literal("express"), body: z.record(z.string(), z.unknown()) }),
  z.object({ serve: z.literal("webhook-floor"), dir: z.string(), secret: z.string() }),
]);

export type Role = z.infer<typeof roleSchema>;

const portOf = (address: unknown): number => z.object({ port: z.number() }).parse(address).port;

async function start(role: Role): Promise<number> {
  switch (role.serve) {
    case "express":
      return portOf((await expressFloor(role.body)).address());
    case "webhook-floor":
      return portOf((await webhookFloor(role.dir, role.secret)).address());
    case "ours": {
      const reading = readSettings(role.env, process.cwd());
      if (reading.kind !== "settings") throw new Error(`wrong settings: ${JSON.stringify(reading)}`);
      return (await compose({ settings: reading.settings })).port;
    }
  }
}

const tell = (message: object): void => {
  process.send?.(message);
};

process.on("message", () => {
  const { user, system } = process.cpuUsage();
  tell({ cpu_us: user + system });
});
process.on("disconnect", () => process.exit(0));

const port = await start(roleSchema.parse(JSON.parse(process.argv[2] ?? "")));
tell({ port });
