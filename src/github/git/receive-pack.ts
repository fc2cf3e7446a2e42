/**
 * The messages of `git-receive-pack`: the request that moves one ref, and the report on it. The report is foreign: it is
 * read in one pass, bounded, and null when it is none.
 */
import { NO_COMMIT } from "./objects.ts";

export const REQUEST_TYPE = "application/x-git-receive-pack-request";
export const RESULT_TYPE = "application/x-git-receive-pack-result";
export const ADVERTISEMENT_TYPE = "application/x-git-receive-pack-advertisement";

/** Longer reports are not read; the longest texts are lists of secrets that were found in a push. */
export const MAX_REPORT_BYTES = 256 * 1024;
const MAX_REMOTE_LINES = 100;

const LENGTH = 4;
const PAYLOAD = 1;
const PROGRESS = 2;

export interface RefMove {
  /** A full name, such as `refs/heads/main`. */
  readonly ref: string;
  /** Null: the ref must not exist. */
  readonly from: string | null;
  readonly to: string;
}

/** A length in four hexadecimal digits, then so many bytes with them. */
function packetOf(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from((bytes.length + LENGTH).toString(16).padStart(LENGTH, "0")), bytes]);
}

export const requestOf = ({ ref, from, to }: RefMove, pack: Uint8Array): Buffer =>
  Buffer.concat([
    packetOf(`${from ?? NO_COMMIT} ${to} ${ref}\0 report-status side-band-64k object-format=sha1`),
    Buffer.from("0000"),
    pack,
  ]);

export interface Report {
  /** Null: the ref was moved. */
  readonly refused: string | null;
  /** What the other side tells people, without the empty lines. */
  readonly remote: readonly string[];
}

/** The payloads of the packets; null when the bytes are none. A flush has none. */
function packetsIn(bytes: Buffer): Buffer[] | null {
  const packets: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    const digits = bytes.toString("latin1", at, at + LENGTH);
    const length = /^[0-9a-f]{4}$/i.test(digits) ? Number.parseInt(digits, 16) : -1;
    if (length === 0) {
      at += LENGTH;
      continue;
    }
    if (length < LENGTH || at + length > bytes.length) return null;
    packets.push(bytes.subarray(at + LENGTH, at + length));
    at += length;
  }
  return packets;
}

interface Bands {
  readonly report: readonly Buffer[];
  readonly told: readonly Buffer[];
}

/** Without side band the packets are the report. */
function bandsOf(packets: readonly Buffer[]): Bands | null {
  if (packets[0]?.toString("latin1").startsWith("unpack ")) return { report: packets, told: [] };
  const of = (wanted: (band: number) => boolean): Buffer[] =>
    packets.filter((packet) => wanted(packet[0] ?? 0)).map((packet) => packet.subarray(1));
  const report = packetsIn(Buffer.concat(of((band) => band === PAYLOAD)));
  return report && { report, told: of((band) => band >= PROGRESS) };
}

const linesOf = (parts: readonly Buffer[]): string[] =>
  Buffer.concat(parts)
    .toString("utf8")
    .split(/[\r\n]/)
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .slice(0, MAX_REMOTE_LINES);

/** What came of the move of this ref; null: these bytes do not tell. */
export function readReport(bytes: Uint8Array, ref: string): Report | null {
  if (bytes.length > MAX_REPORT_BYTES) return null;
  const packets = packetsIn(Buffer.from(bytes));
  const bands = packets && bandsOf(packets);
  if (bands === null) return null;
  const lines = bands.report.map((line) => line.toString("utf8").trimEnd());
  const remote = linesOf(bands.told);
  const unpacked = lines.find((line) => line.startsWith("unpack "))?.slice("unpack ".length);
  if (unpacked === undefined) return null;
  if (lines.includes(`ok ${ref}`) && unpacked === "ok") return { refused: null, remote };
  const no = `ng ${ref} `;
  const reason = lines.find((line) => line.startsWith(no))?.slice(no.length);
  if (unpacked !== "ok") return { refused: unpacked, remote };
  return reason === undefined ? null : { refused: reason, remote };
}
