/** Who an authenticated request speaks for, as commands and the audit log name them. */
import type { Request } from "express";
import type { Actor } from "../../domain/job/command.ts";
import { clientAddress } from "../server/client-address.ts";
import { requestId } from "../server/request-log.ts";
import { principalOf } from "./auth.ts";

export const actorOf = (request: Request): Actor => {
  const { account, key_id } = principalOf(request);
  return { account, login: null, via: { key_id, address: clientAddress(request), request_id: requestId(request) } };
};
