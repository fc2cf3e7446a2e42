/** Attachments over HTTP: for people under their own address, which no token opens, and for five minutes under a signed one. */
import type { ServerResponse } from "node:http";
import { PLACE, SIGNED_PLACE } from "./attachments.ts";
import type { PageRequest } from "./pages/serve.ts";
import type { World } from "./world.ts";

export const isAttachmentPath = (pathname: string): boolean =>
  pathname.startsWith(PLACE) || pathname.startsWith(SIGNED_PLACE);

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly data: Buffer | string;
}

const refused = (status: number): Answer => ({ status, headers: { "content-type": "text/plain" }, data: "no" });

export function serveAttachments(world: World, request: PageRequest, response: ServerResponse): void {
  const answer = answerOf(world, request);
  if (answer !== "hang") response.writeHead(answer.status, answer.headers).end(answer.data);
}

function answerOf(world: World, { url, headers }: PageRequest): Answer | "hang" {
  if (!url.pathname.startsWith(SIGNED_PLACE)) return refused(404);
  // the host behind takes one way to prove oneself
  if (headers.authorization !== undefined) return refused(400);
  const file = world.attachments.find(url.searchParams.get("jwt") ?? "", url.pathname);
  if (file === undefined) return refused(404);
  if (file === "over") return refused(401);
  if (file.instead === "hang") return "hang";
  if (file.instead !== undefined) return { status: 302, headers: { location: file.instead.redirect }, data: "" };
  return { status: 200, headers: { "content-type": file.type ?? "image/png" }, data: file.data };
}
