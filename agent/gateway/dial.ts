/**
 * Connects to an allowed target. Checks the addresses of the name, and then the socket's own address before anything is
 * written, since an allowed name may resolve to a private address.
 */
import dns, { type LookupAddress } from "node:dns";
import { connect, type LookupFunction, type Socket } from "node:net";
import { isPublic } from "../../src/contracts/public-address.ts";
import type { Target } from "./allow-list.ts";

/** Covers the name lookup and the connection. */
const CONNECT_MS = 15_000;

const NOT_PUBLIC = "ERR_NOT_PUBLIC";

export interface DialPorts {
  /** All addresses of a name; rejects when there are none. */
  readonly resolve: (host: string) => Promise<readonly LookupAddress[]>;
  readonly mayReach: (address: string) => boolean;
}

export const INTERNET: DialPorts = {
  resolve: (host) => dns.promises.lookup(host, { all: true }),
  mayReach: isPublic,
};

export type Dialled =
  | { readonly ok: true; readonly socket: Socket }
  /** `refused`: the target is forbidden rather than unreachable. */
  | { readonly ok: false; readonly refused: boolean; readonly reason: string };

const CONNECT_ERRORS: Readonly<Record<string, string>> = {
  ENOTFOUND: "the name is not known",
  ENODATA: "the name is not known",
  EAI_AGAIN: "the name could not be looked up",
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was reset",
  ETIMEDOUT: "there was no answer in time",
  EHOSTUNREACH: "the address cannot be reached",
  ENETUNREACH: "the address cannot be reached",
};

const withCode = (message: string, code: string): NodeJS.ErrnoException => Object.assign(new Error(message), { code });

const notPublic = (address: string): NodeJS.ErrnoException =>
  withCode(`leads to ${address}, which is not on the public internet`, NOT_PUBLIC);

function guarded({ resolve, mayReach }: DialPorts): LookupFunction {
  return (host, options, callback) => {
    resolve(host).then(
      (all) => {
        const good = all.filter(({ address }) => mayReach(address));
        const [first] = good;
        if (first === undefined) callback(notPublic(all[0]?.address ?? "nowhere"), "", 0);
        else if (options.all) callback(null, good);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, "", 0),
    );
  };
}

function failed(target: Target, error: NodeJS.ErrnoException): Dialled {
  const code = error.code ?? "";
  if (code === NOT_PUBLIC) return { ok: false, refused: true, reason: `${target.host} ${error.message}` };
  const words = CONNECT_ERRORS[code] ?? `the connection failed (${code || "unknown reason"})`;
  return { ok: false, refused: false, reason: `${target.host}:${target.port} could not be reached: ${words}` };
}

/** `anywhere`: skips the check of the address. */
export function dial(target: Target, anywhere: boolean, dialPorts: DialPorts): Promise<Dialled> {
  const ports = anywhere ? { ...dialPorts, mayReach: () => true } : dialPorts;
  return new Promise((resolve) => {
    const { host, port } = target;
    const socket = connect({ host, port, lookup: guarded(ports), allowHalfOpen: true });
    const late = setTimeout(() => socket.destroy(withCode("too late", "ETIMEDOUT")), CONNECT_MS);
    socket.once("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(late);
      resolve(failed(target, error));
    });
    socket.once("connect", () => {
      clearTimeout(late);
      const { remoteAddress = "nowhere" } = socket;
      if (ports.mayReach(remoteAddress)) return resolve({ ok: true, socket });
      socket.destroy();
      resolve(failed(target, notPublic(remoteAddress)));
    });
  });
}
