/** Creates request ids, which appear in the log and in the answer, so that one can be found by the other. */
import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** A caller's own id is kept when it is harmless in a log and a header. */
const ACCEPTABLE_ID = /^[A-Za-z0-9_.-]{8,64}$/;

/** Answers the id that the caller gave in this header, or a new one. */
export function requestIds(header = "x-request-id"): (request: IncomingMessage) => string {
  const process = randomBytes(6).toString("hex");
  let count = 0;
  return ({ headers }) => {
    const given = headers[header];
    return typeof given === "string" && ACCEPTABLE_ID.test(given) ? given : `${process}-${++count}`;
  };
}
