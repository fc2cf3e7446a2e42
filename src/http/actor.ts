/** Who an authenticated request speaks for, as commands and the audit log name them. */
import type { Request } from "express";
import type { Actor } from "../job/command.ts";
import { principalOf } from "./auth.ts";
import { clientAddress } from "./client-address.ts";
import { requestId } from "./request-log.ts";

export const actorOf = (request: Request): Actor => {
  const { account, key_id } = principalOf(request);
  return { account, login: null, via: { key_id, address: clientAddress(request), request_id: requestId(request) } };
};
