/**
 * Parcels: texts that belong to a job, a file each, named by job and content, so that one that is put twice is one. How
 * much they may be together is bounded. Knows nothing of what they hold, nor who still needs one.
 */
import { hash } from "node:crypto";
import type { ParcelStore } from "../../engine/market-ports.ts";
import { asJobId, type JobId } from "../../job/job.ts";
import type { Folder } from "./disk.ts";

/** Of all parcels together. */
export const MAX_PARCEL_BYTES = 4 * 1024 * 1024 * 1024;

const ENDING = ".parcel";
const NAME = /^([a-z0-9]{8})-([0-9a-f]{32})\.parcel$/;

const fileOf = (job: JobId, name: string): string => `${job}-${name}${ENDING}`;

export class FileParcels implements ParcelStore {
  readonly #folder: Folder;
  readonly #most: number;
  /** Bytes of each, by its file. */
  readonly #sizes = new Map<string, number>();
  #bytes = 0;

  constructor(folder: Folder, most = MAX_PARCEL_BYTES) {
    this.#folder = folder;
    this.#most = most;
    for (const file of folder.takeFound(ENDING)) this.#note(file, folder.sizeOf(file));
  }

  async put(job: JobId, text: string): Promise<{ readonly name: string } | "full"> {
    const name = hash("sha256", text, "hex").slice(0, 32);
    const file = fileOf(job, name);
    const bytes = Buffer.byteLength(text);
    if (this.#sizes.has(file)) return { name };
    if (this.#bytes + bytes > this.#most) return "full";
    this.#folder.replace(file, text);
    this.#note(file, bytes);
    return { name };
  }

  async get(job: JobId, name: string): Promise<string | null> {
    const file = fileOf(job, name);
    return this.#sizes.has(file) ? this.#folder.read(file) : null;
  }

  async remove(job: JobId, names: readonly string[]): Promise<void> {
    for (const file of names.map((name) => fileOf(job, name))) {
      const bytes = this.#sizes.get(file);
      if (bytes === undefined) continue;
      this.#folder.remove(file);
      this.#sizes.delete(file);
      this.#bytes -= bytes;
    }
  }

  async all(): Promise<readonly { readonly job: JobId; readonly name: string }[]> {
    return [...this.#sizes.keys()].flatMap((file) => {
      const [, id = "", name = ""] = NAME.exec(file) ?? [];
      const job = asJobId(id);
      return job === null ? [] : [{ job, name }];
    });
  }

  #note(file: string, bytes: number): void {
    this.#sizes.set(file, bytes);
    this.#bytes += bytes;
  }
}
