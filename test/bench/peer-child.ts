/**
 * The nearest peer's way to create a branch with a file: five calls one after the other, with plain fetch on a kept
 * connection. A process of its own, like the App; gets branch names and answers the milliseconds that each took.
 */
import * as z from "zod";
import { briefEntry } from "./brief-entry.ts";

const peerSchema = z.object({ api: z.url(), token: z.string() });
const orderSchema = z.object({ repository: z.string(), branch: z.string() });

const refSchema = z.object({ object: z.object({ sha: z.string() }) });
const commitSchema = z.object({ sha: z.string(), tree: z.object({ sha: z.string() }) });
const shaSchema = z.object({ sha: z.string() });

const { api, token } = peerSchema.parse(JSON.parse(process.argv[2] ?? ""));
const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };

async function call<T>(url: string, schema: z.ZodType<T>, body?: object): Promise<T> {
  const sent = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const response = await fetch(url, { headers, ...sent });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return schema.parse(await response.json());
}

async function create({ repository, branch }: z.infer<typeof orderSchema>): Promise<void> {
  const git = `${api}/repos/${repository}/git`;
  const { sha } = (await call(`${git}/ref/heads/main`, refSchema)).object;
  const base = await call(`${git}/commits/${sha}`, commitSchema);
  const entries = { base_tree: base.tree.sha, tree: [briefEntry(branch)] };
  const tree = await call(`${git}/trees`, shaSchema, entries);
  const draft = { message: branch, tree: tree.sha, parents: [sha] };
  const commit = await call(`${git}/commits`, shaSchema, draft);
  await call(`${git}/refs`, z.unknown(), { ref: `refs/heads/${branch}`, sha: commit.sha });
}

process.on("message", async (message) => {
  const order = orderSchema.parse(message);
  const begun = performance.now();
  await create(order);
  process.send?.(performance.now() - begun);
});
process.on("disconnect", () => process.exit(0));
process.send?.("ready");
