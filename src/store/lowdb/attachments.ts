/**
 * Attachment blobs: one text file each, named by job, content hash and paying account, so that storing the same blob
 * twice has no effect. Bounds the total size, per account and overall.
 */
import { hash } from "node:crypto";
import { asJobId, type JobId } from "../../domain/job/job.ts";
import type { AttachmentStore } from "../../engine/ports/attachments.ts";
import type { Folder } from "./disk.ts";

/** Limit for all blobs together. */
export const MAX_BLOB_BYTES = 4 * 1024 * 1024 * 1024;

const ENDING = ".parcel";
/** Older files name no account and count for none. */
const NAME = /^([a-z0-9]{8}-[0-9a-f]{32})(?:-([A-Za-z0-9_.%~-]+))?\.parcel$/;

const keyOf = (job: JobId, name: string): string => `${job}-${name}`;

interface Kept {
  readonly file: string;
  readonly account: string | null;
  readonly bytes: number;
}

export class FileAttachments implements AttachmentStore {
  readonly #folder: Folder;
  readonly #most: number;
  readonly #kept = new Map<string, Kept>();
  readonly #ofAccount = new Map<string, number>();
  #bytes = 0;

  constructor(folder: Folder, most = MAX_BLOB_BYTES) {
    this.#folder = folder;
    this.#most = most;
    for (const file of folder.takeFound(ENDING)) {
      const [, key, account] = NAME.exec(file) ?? [];
      if (key === undefined) continue;
      const bytes = folder.sizeOf(file);
      this.#note(key, { file, account: account === undefined ? null : decodeURIComponent(account), bytes });
    }
  }

  async put(
    job: JobId,
    text: string,
    { account, most }: { readonly account: string; readonly most: number },
  ): Promise<{ readonly name: string } | "full" | "too_much"> {
    const name = hash("sha256", text, "hex").slice(0, 32);
    const key = keyOf(job, name);
    const bytes = Buffer.byteLength(text);
    if (this.#kept.has(key)) return { name };
    if ((this.#ofAccount.get(account) ?? 0) + bytes > most) return "too_much";
    if (this.#bytes + bytes > this.#most) return "full";
    const file = `${key}-${encodeURIComponent(account)}${ENDING}`;
    this.#folder.replace(file, text);
    this.#note(key, { file, account, bytes });
    return { name };
  }

  async get(job: JobId, name: string): Promise<string | null> {
    const kept = this.#kept.get(keyOf(job, name));
    return kept === undefined ? null : this.#folder.read(kept.file);
  }

  async remove(job: JobId, names: readonly string[]): Promise<void> {
    for (const key of names.map((name) => keyOf(job, name))) {
      const kept = this.#kept.get(key);
      if (kept === undefined) continue;
      this.#folder.remove(kept.file);
      this.#kept.delete(key);
      this.#count(kept, -1);
    }
  }

  async all(): Promise<readonly { readonly job: JobId; readonly name: string }[]> {
    return [...this.#kept.keys()].flatMap((key) => {
      const [id = "", name = ""] = key.split("-");
      const job = asJobId(id);
      return job === null ? [] : [{ job, name }];
    });
  }

  #note(key: string, kept: Kept): void {
    this.#kept.set(key, kept);
    this.#count(kept, 1);
  }

  #count({ account, bytes }: Kept, times: 1 | -1): void {
    this.#bytes += times * bytes;
    if (account === null) return;
    const sum = (this.#ofAccount.get(account) ?? 0) + times * bytes;
    if (sum === 0) this.#ofAccount.delete(account);
    else this.#ofAccount.set(account, sum);
  }
}
