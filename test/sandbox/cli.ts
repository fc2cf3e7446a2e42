/** `npm run sandbox`: parses the command line and plays a whole job on this machine. */
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { VERSION } from "../../src/contracts/version.ts";
import { readAnthropicSettings } from "../../src/main/command-settings.ts";
import { environment } from "../../src/main/environment.ts";
import type { ContainerChoice } from "./containers.ts";

// Of what is loaded from here on, so that the next start is quicker; where the App's own is.
enableCompileCache({ directory: join(import.meta.dirname, "../../node_modules/.cache/compiled"), portable: true });

const port = (value: string): number => {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0 || number > 65_535) throw new InvalidArgumentError("It must be a port.");
  return number;
};

const task = (value: string): string => {
  if (value.trim() === "") throw new InvalidArgumentError("It must say what is to be done.");
  return value;
};

interface Options {
  readonly once?: string;
  readonly port?: number;
  readonly containers: ContainerChoice;
  readonly agentImage?: string;
}

await new Command("npm run sandbox --")
  .description("Play the whole life of a job on this machine: no account, key or network needed.")
  .version(VERSION, "-V, --version", "print which version this is")
  .showHelpAfterError("(--help shows what there is)")
  .option("--once <task>", "run one task to its merge, print the diff, and exit 0 only when it was merged", task)
  .option("--port <port>", "where the App listens (default: any free one)", port)
  .addOption(
    new Option(
      "--containers <how>",
      "run jobs in a real Docker engine or as processes; auto: in an engine if there is one",
    )
      .choices(["auto", "docker", "process"] as const)
      .default("auto" as const),
  )
  .option("--agent-image <name>", "its agent image (default: JOURNEYMAN_AGENT_IMAGE, else the one built here)")
  .addHelpText(
    "after",
    `
Examples:
  npm run sandbox -- --once "create HELLO.md that says hello"
  npm run sandbox                     stays up: open the addresses that it prints, or use curl
It prints an address to install the App at, too: there a repository is set up as a new user does it.
A real model does the work when ANTHROPIC_API_KEY is set; else a scripted one.`,
  )
  .action(async (options: Options) => {
    const variables = environment();
    const reading = readAnthropicSettings(variables);
    if (reading.kind === "mistakes") {
      process.stderr.write(`${reading.mistakes.join("\n")}\n`);
      process.exitCode = 1;
      return;
    }
    const image = options.agentImage ?? variables.JOURNEYMAN_AGENT_IMAGE ?? null;
    const { runSandbox } = await import("./main.ts");
    const containers = { choice: options.containers, image, environment: variables };
    process.exitCode = await runSandbox({
      ...{ once: options.once ?? null, port: options.port ?? 0, containers },
      ...reading.settings,
    });
  })
  .parseAsync();
