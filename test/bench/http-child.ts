/**
 * One measured server in a process of its own, so that its CPU time is its own. Started by `http.ts` with what to
 * serve; reports its port, and its CPU time on request.
 */
import * as z from "zod";
import { compose } from "../../src/main/compose.ts";
import { readSettings } from "../../src/main/settings.ts";
import { expressFloor, webhookFloor } from "./http-floors.ts";
import { mountedPost } from "./mounted-post.ts";

export const roleSchema = z.discriminatedUnion("serve", [
  z.object({ serve: z.literal("ours"), env: z.record(z.string(), z.string()) }),
  z.object({ serve: z.literal("mounted-post"), dir: z.string(), whole: z.boolean() }),
  z.object({ serve: z.literal("express"), body: z.record(z.string(), z.unknown()) }),
  z.object({ serve: z.literal("webhook-floor"), dir: z.string(), secret: z.string() }),
]);

export type Role = z.infer<typeof roleSchema>;

const portOf = (address: unknown): number => z.object({ port: z.number() }).parse(address).port;

/** Where it is reached, and the keys that it knows. */
interface Started {
  readonly port: number;
  readonly keys: readonly string[];
}

async function start(role: Role): Promise<Started> {
  switch (role.serve) {
    case "express":
      return { port: portOf((await expressFloor(role.body)).address()), keys: [] };
    case "webhook-floor":
      return { port: portOf((await webhookFloor(role.dir, role.secret)).address()), keys: [] };
    case "mounted-post": {
      const { server, keys } = await mountedPost(role);
      return { port: portOf(server.address()), keys };
    }
    case "ours": {
      const reading = readSettings(role.env, process.cwd());
      if (reading.kind !== "settings") throw new Error(`wrong settings: ${JSON.stringify(reading)}`);
      return { port: (await compose(reading.settings)).port, keys: [] };
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

tell(await start(roleSchema.parse(JSON.parse(process.argv[2] ?? ""))));
