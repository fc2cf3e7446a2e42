/**
 * No App yet: Probot's own set-up page, which makes one from `app.yml` and writes its credentials to `.env`. The page
 * asks for no password, so it listens on this machine alone unless HOST says otherwise.
 */
import { run } from "probot";

/** Serves the page; the answer stops it. */
export async function setUp(where: { readonly host: string; readonly port: number }): Promise<() => Promise<void>> {
  const server = await run(() => {}, { env: { HOST: where.host, PORT: String(where.port) } });
  process.stdout.write(`No APP_ID is set: open http://${where.host}:${where.port}/probot to make the GitHub App.\n`);
  return async () => {
    await server.stop();
  };
}
