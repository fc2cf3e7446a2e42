/**
 * What the log uploader does: {@link uploadProgress} shows the agent's output and uploads its lines, and
 * {@link submitResult} submits the result. Both answer by rows on stdout and fail in words only.
 */
import { readAgentOutput } from "../action/agent-output.ts";
import { AppClient } from "../action/report/app-client.ts";
import { readUploaderSettings } from "../action/report/app-settings.ts";
import { handIn } from "../action/report/hand-in.ts";
import { readHandIn } from "../action/report/hand-in-input.ts";
import { Outbox } from "../action/report/outbox.ts";
import { uploadLog } from "../action/report/upload-log.ts";
import { escapeRunnerCommands } from "../transcript/plain-rows.ts";

export interface UploaderPorts {
  readonly environment: NodeJS.ProcessEnv;
  readonly input: AsyncIterable<Buffer>;
  readonly print: (row: string) => void;
  readonly now: () => number;
  /** Waits; an aborted signal ends the wait early. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface ProgressPorts extends UploaderPorts {
  /** Called at the end of the agent's output; calls back when the upload must end. */
  readonly limitFlush: (end: () => void) => void;
}

export async function uploadProgress(ports: ProgressPorts): Promise<void> {
  const { environment, input, print, now, pause, limitFlush } = ports;
  const read = readUploaderSettings(environment);
  const ended = new AbortController();
  const over = new AbortController();
  const outbox = new Outbox();
  const say = (why: string | null): void => {
    if (why !== null) print(escapeRunnerCommands(`courier | The App did not receive the whole log: ${why}`));
  };
  const sent = read.ok
    ? uploadLog({ outbox, app: new AppClient(read.settings, now), ended: ended.signal, over: over.signal, pause })
    : Promise.resolve(read.reason);
  const said = sent.then(say);
  await readAgentOutput(input, { print, keep: (line) => outbox.add(line) });
  ended.abort();
  limitFlush(() => over.abort());
  await said;
}

export async function submitResult({ environment, input, print, now, pause }: UploaderPorts): Promise<void> {
  const read = readUploaderSettings(environment);
  const work = await readHandIn(input);
  const answer = !read.ok
    ? { ok: false as const, reason: read.reason }
    : work === null
      ? { ok: false as const, reason: "result and log are too large to submit" }
      : await handIn(work, { app: new AppClient(read.settings, now), pause });
  print(answer.ok ? `token ${answer.token.reveal()}` : `no ${answer.reason.replace(/[\p{C}\s]+/gu, " ")}`);
}
