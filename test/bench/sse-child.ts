/**
 * The measured server of `sse.ts`, in a process of its own: the App's live logs over one job whose history grows on
 * request, or a bare loop. Reports its port, CPU time and memory.
 */
import { createServer, type ServerResponse } from "node:http";
import * as z from "zod";
import { systemClock } from "../../src/engine/clock.ts";
import { createCommitSubscribers } from "../../src/engine/commit-subscribers.ts";
import type { NumberedRow, StoredJob } from "../../src/engine/ports/jobs.ts";
import { createLiveLogs } from "../../src/job-log/live-logs.ts";
import { logTo } from "../../src/main/log.ts";
import { InProcessSignals } from "../../src/store/in-process-signals.ts";
import { MAX_HISTORY_ROWS } from "../../src/store/next-record.ts";
import { begin, T0 } from "../unit/job-fixtures.ts";

const NOTE = "2 of 3 checks are done\n- lint passed\n- test is not done\n- the judge has not spoken yet";
/** Rows of one turn of the event loop, as commits come: never all at once. */
const AT_ONCE = 10;

const row = (seq: number, note: string): NumberedRow => ({
  ...{ seq, at: T0 + seq, event: "checked", from: "submitted", to: "submitted", by: null, note },
});

interface Served {
  open(response: ServerResponse): Promise<void>;
  event(note: string): void;
}

function ours(): Served {
  let stored: StoredJob = {
    ...{ job: begin(), version: 1, history: [], postings: [], spending: [], effects: [], log_nth: 0 },
  };
  const log = logTo({ write: () => {} }, "error");
  const jobs = { load: async () => stored };
  const signals = new InProcessSignals();
  const logs = createLiveLogs({
    ...{ jobs, clock: systemClock, log },
    service: createCommitSubscribers({ jobs, signals, clock: systemClock, log }),
    jobLog: { read: async () => null },
  });
  let readers = 0;
  return {
    async open(response) {
      // as many accounts as it takes
      const opened = await logs.open(stored, {
        account: `user${readers++ % 50}`,
        after: null,
        may: () => true,
        stands: () => true,
      });
      if (opened.kind === "follow") opened.begin(response);
      else response.destroy();
    },
    event(note) {
      const history = [...stored.history, row((stored.history.at(-1)?.seq ?? 0) + 1, note)].slice(-MAX_HISTORY_ROWS);
      stored = { ...stored, history, version: stored.version + 1 };
      signals.publish(stored.job.id);
    },
  };
}

function floor(): Served {
  const responses = new Set<ServerResponse>();
  let seq = 0;
  return {
    async open(response) {
      responses.add(response);
      response.on("close", () => responses.delete(response));
    },
    event(words) {
      const { at, event, from, to, by, note } = row(++seq, words);
      const data = JSON.stringify({ at: new Date(at).toISOString(), event, from, to, by, note });
      const text = Buffer.from(`id: ${seq}.0.0\nevent: history\ndata: ${data}\n\n`);
      for (const response of responses) response.write(text);
    },
  };
}

const served = process.argv[2] === "ours" ? ours() : floor();
const server = createServer((_request, response) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.flushHeaders();
  void served.open(response);
});

const orderSchema = z.discriminatedUnion("do", [
  z.object({ do: z.literal("tell") }),
  z.object({ do: z.literal("collect") }),
  z.object({ do: z.literal("events"), count: z.number(), note: z.number().default(0) }),
]);

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function obey(order: z.infer<typeof orderSchema>): Promise<void> {
  if (order.do === "events") {
    const note = NOTE.padEnd(order.note, ".");
    for (let sent = 0; sent < order.count; sent++) {
      served.event(note);
      if (sent % AT_ONCE === AT_ONCE - 1) await turn();
    }
  }
  if (order.do === "collect") globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  const { heapUsed, external } = process.memoryUsage();
  process.send?.({ cpu_us: user + system, memory: heapUsed + external });
}

process.on("message", (message) => void obey(orderSchema.parse(message)));
process.on("disconnect", () => process.exit(0));
server.listen(0, "127.0.0.1", () => {
  process.send?.({ port: z.object({ port: z.number() }).parse(server.address()).port });
});
