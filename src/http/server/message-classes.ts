/**
 * Express puts prototypes of its own under each request and response. That costs a tenth of a status read, unless they
 * have these prototypes already: a server makes them of classes of its own, which its Express application adopts.
 */
import { IncomingMessage, ServerResponse } from "node:http";
import type { Express } from "express";

/** As `createServer` takes them. */
export type MessageClasses = ReturnType<typeof createMessageClasses>;

export const createMessageClasses = () => ({
  IncomingMessage: class extends IncomingMessage {},
  ServerResponse: class extends ServerResponse {},
});

export function adopt(app: Express, { IncomingMessage: Request, ServerResponse: Response }: MessageClasses): void {
  Object.setPrototypeOf(Request.prototype, app.request);
  Object.setPrototypeOf(Response.prototype, app.response);
  Object.assign(app, { request: Request.prototype, response: Response.prototype });
}
