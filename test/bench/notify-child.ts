/**
 * The bench's webhook receivers in a process of their own, so that their CPU time is separate. Records when each
 * webhook arrived; requests below `/hang` are never answered.
 */
import { createServer } from "node:http";
import * as z from "zod";

/** When each came, in milliseconds since the epoch with fractions, as the parent reads its clock too. */
let times: [string, number][] = [];
let awaited: number | null = null;

const tell = (message: object): void => {
  process.send?.(message);
};

const look = (): void => {
  if (awaited === null || times.length < awaited) return;
  awaited = null;
  tell({ times });
  times = [];
};

const server = createServer((request, response) => {
  const hangs = request.url?.startsWith("/hang") ?? false;
  request.resume();
  request.on("end", () => {
    if (hangs) return;
    times.push([String(request.headers["webhook-id"]), performance.timeOrigin + performance.now()]);
    response.writeHead(204).end();
    look();
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => tell({ port: z.object({ port: z.number() }).parse(server.address()).port }));

/** How many are waited for. */
process.on("message", (message) => {
  awaited = z.number().parse(message);
  look();
});
process.on("disconnect", () => process.exit(0));
