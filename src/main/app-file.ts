/**
 * The App that the set-up page has made: kept in the data folder, its secrets sealed, and read as if the settings had
 * named it. What the settings do name goes before it; where they name another App, it counts for nothing.
 */
import { join, resolve } from "node:path";
import * as z from "zod";
import type { Secret } from "../contracts/secret.ts";
import type { SealedBox } from "../engine/ports/sealed-box.ts";
import type { Environment } from "./environment.ts";
import { createSealedBox } from "./seal.ts";
import { makeSecretFile, readSecretFile } from "./secret-file.ts";
import { schema } from "./settings.ts";

const FILE = "app.json";

const fileSchema = z.object({
  version: z.literal(1),
  app_id: z.number().int().positive(),
  client_id: z.string(),
  public_url: z.string(),
  webhook_proxy_url: z.string().nullable(),
  /** Sealed, each for its own purpose. */
  private_key: z.string(),
  webhook_secret: z.string(),
  client_secret: z.string(),
});

export interface App {
  readonly app_id: number;
  readonly client_id: string;
  readonly public_url: string;
  readonly webhook_proxy_url: string | null;
  readonly private_key: Secret;
  readonly webhook_secret: Secret;
  readonly client_secret: Secret;
}

const purposeOf = (name: string): string => `app ${name}`;

/** All of it or nothing; it never takes the place of an App that is kept already. */
export function keepApp(data_dir: string, box: SealedBox, app: App): void {
  const seal = (name: "private_key" | "webhook_secret" | "client_secret"): string =>
    box.seal(app[name], purposeOf(name));
  const file: z.infer<typeof fileSchema> = {
    version: 1,
    app_id: app.app_id,
    client_id: app.client_id,
    public_url: app.public_url,
    webhook_proxy_url: app.webhook_proxy_url,
    private_key: seal("private_key"),
    webhook_secret: seal("webhook_secret"),
    client_secret: seal("client_secret"),
  };
  makeSecretFile(data_dir, FILE, `${JSON.stringify(file, null, 2)}\n`);
}

function parsed(path: string, text: string): z.infer<typeof fileSchema> {
  try {
    return fileSchema.parse(JSON.parse(text));
  } catch {
    throw new Error(`${path} is damaged. Restore it from a backup, or remove it and make another App.`);
  }
}

/** The kept App as variables of the environment. */
function variablesOf(file: z.infer<typeof fileSchema>, box: SealedBox): Record<string, string> {
  const open = (name: "private_key" | "webhook_secret" | "client_secret"): string =>
    box.open(file[name], purposeOf(name)).reveal();
  return {
    APP_ID: String(file.app_id),
    PRIVATE_KEY: open("private_key"),
    WEBHOOK_SECRET: open("webhook_secret"),
    GITHUB_CLIENT_ID: file.client_id,
    GITHUB_CLIENT_SECRET: open("client_secret"),
    PUBLIC_URL: file.public_url,
    ...(file.webhook_proxy_url === null ? {} : { WEBHOOK_PROXY_URL: file.webhook_proxy_url }),
  };
}

/** Variables of which one in the settings makes the kept others of no use. */
const TOGETHER = [
  ["PRIVATE_KEY", "PRIVATE_KEY_PATH"],
  ["GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET"],
];

/** These variables, and where they name no App, the one that is kept. */
export function withKeptApp(variables: Environment, cwd: string): Environment {
  if (variables.APP_ID !== undefined) return variables;
  const where = schema.pick({ DATA_DIR: true, ENCRYPTION_KEY: true }).safeParse(variables);
  // whoever reads the settings says what is wrong with these
  if (!where.success) return variables;
  const data_dir = resolve(cwd, where.data.DATA_DIR);
  const path = join(data_dir, FILE);
  const text = readSecretFile(path);
  if (text === null) return variables;
  const box = createSealedBox({ encryption_key: where.data.ENCRYPTION_KEY ?? null, data_dir });
  const kept = variablesOf(parsed(path, text), box);
  for (const names of TOGETHER)
    if (names.some((name) => variables[name] !== undefined)) for (const name of names) delete kept[name];
  return { ...kept, ...variables };
}
