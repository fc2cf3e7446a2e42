/** A new server without an App, for the picture of its set-up page. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { pathOf } from "../process/read-markdown.ts";

export interface NewServer {
  readonly url: string;
  printed(): string;
  stop(): Promise<void>;
}

export function startServer(dir: string, port: number): NewServer {
  const server = spawn(process.execPath, [pathOf("src/main.ts")], {
    cwd: dir,
    env: { PATH: process.env.PATH ?? "", HOST: "127.0.0.1", PORT: String(port) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  server.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  return {
    url: `http://127.0.0.1:${port}`,
    printed: () => printed,
    async stop() {
      server.kill("SIGTERM");
      if (server.exitCode === null) await once(server, "exit");
    },
  };
}
