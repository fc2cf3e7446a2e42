/** Job ids: eight lower-case letters and digits from a hash of the time and random bytes (create-job seed). */
import { createHash, randomBytes } from "node:crypto";
import { asJobId } from "../job/job.ts";
import type { Clock, Ids } from "./ports.ts";

const ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789";
const LENGTH = 8;

export const createIds = (clock: Clock): Ids => ({
  jobId() {
    const hash = createHash("sha256").update(`${clock.now()}:`).update(randomBytes(16)).digest();
    const text = Array.from(hash.subarray(0, LENGTH), (byte) => ALPHABET[byte % ALPHABET.length]).join("");
    const id = asJobId(text);
    if (id === null) throw new Error(`Drew a malformed job id: ${text}`);
    return id;
  },
});
