/**
 * Splits the agent's stdout into rows: a log line is shown as plain progress and added to the outbox, any other row is
 * only shown. Reads as fast as the agent writes, independent of the upload.
 */
import { StringDecoder } from "node:string_decoder";
import { type LogLine, logLineSchema } from "../../src/contracts/log-line.ts";
import { head } from "../../src/text/text.ts";
import { escapeRunnerCommands, plainRows } from "../transcript/plain-rows.ts";

/** Characters. A longer row is split; no log line is as long as JSON. */
const ROW_LIMIT = 64 * 1024;

export interface AgentOutputPorts {
  readonly print: (row: string) => void;
  readonly keep: (line: LogLine) => void;
}

export async function readAgentOutput(input: AsyncIterable<Buffer>, { print, keep }: AgentOutputPorts): Promise<void> {
  for await (const row of rowsOf(input)) {
    const line = lineOf(row);
    if (line === null) {
      print(escapeRunnerCommands(row));
      continue;
    }
    for (const shown of plainRows(line.text)) print(shown);
    keep(line);
  }
}

function lineOf(row: string): LogLine | null {
  if (!row.startsWith("{")) return null;
  try {
    return logLineSchema.safeParse(JSON.parse(row)).data ?? null;
  } catch {
    return null;
  }
}

export async function* rowsOf(input: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  for await (const chunk of input) {
    const rows = (rest + decoder.write(chunk)).split("\n");
    rest = rows.pop() ?? "";
    yield* rows;
    while (rest.length > ROW_LIMIT) {
      const piece = head(rest, ROW_LIMIT);
      yield piece;
      rest = rest.slice(piece.length);
    }
  }
  rest += decoder.end();
  if (rest !== "") yield rest;
}
