/** The servers that ours is measured against: the least that does the same job, without the App's code. */
import { createHmac, timingSafeEqual } from "node:crypto";
import fs from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import express from "express";

/** A bare Express JSON route; a POST reads the body as JSON first. */
export function expressFloor(body: object): Promise<Server> {
  const app = express();
  app.get("/api/jobs/status", (_request, response) => {
    response.json(body);
  });
  app.post("/api/create-job", express.json(), (_request, response) => {
    response.json(body);
  });
  return new Promise((resolve) => {
    const server = app.listen(0, "127.0.0.1", () => resolve(server));
  });
}

/** Collects records while a flush is under way; each caller waits for the flush that holds its record. */
function groupCommit(path: string): (record: string) => Promise<void> {
  const file = fs.openSync(path, "a");
  let waiting: (() => void)[] = [];
  let text = "";
  let flushing = false;
  const flush = (): void => {
    flushing = true;
    const done = waiting;
    const chunk = text;
    waiting = [];
    text = "";
    fs.write(file, chunk, () =>
      fs.fdatasync(file, () => {
        flushing = false;
        for (const resolve of done) resolve();
        if (waiting.length > 0) flush();
      }),
    );
  };
  return (record) =>
    new Promise((resolve) => {
      text += record;
      waiting.push(resolve);
      if (!flushing) flush();
    });
}

/** A bare node:http server that verifies, parses and flushes one record a delivery. */
export function webhookFloor(dir: string, secret: string): Promise<Server> {
  const commit = groupCommit(join(dir, "floor.log"));
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      const expected = Buffer.from(`sha256=${createHmac("sha256", secret).update(body).digest("hex")}`);
      const given = Buffer.from(String(request.headers["x-hub-signature-256"]));
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
        response.writeHead(400).end();
        return;
      }
      const payload: { readonly action: string; readonly repository: { readonly id: number } } = JSON.parse(
        body.toString("utf8"),
      );
      const id = request.headers["x-github-delivery"];
      const record = JSON.stringify({ id, action: payload.action, repository: payload.repository.id });
      void commit(`${record}\n`).then(() => response.writeHead(202).end());
    });
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}
