/**
 * Reads all job files at start, one after the other: synchronous calls are several times faster than the thread pool,
 * and nobody is served yet. One buffer serves all files.
 */
import { type Folder, unreadable } from "./disk.ts";
import { type JobHead, jobFileName, parseHead } from "./job-file.ts";

/** Longer files are read by themselves. */
const BUFFER_BYTES = 256 * 1024;

function bytesOf(folder: Folder, path: string, buffer: Buffer): Buffer {
  const fd = folder.fs.openSync(path, "r");
  try {
    const length = folder.fs.readSync(fd, buffer, 0, buffer.length, 0);
    return length < buffer.length ? buffer.subarray(0, length) : folder.fs.readFileSync(path);
  } finally {
    folder.fs.closeSync(fd);
  }
}

/** Every stored job without its log. Throws a sentence that names the file when one is damaged: no job is left out. */
export function* scanJobs(folder: Folder): Generator<JobHead> {
  const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  for (const name of folder.takeFound(".json")) {
    const path = folder.pathOf(name);
    let head: JobHead;
    try {
      head = parseHead(bytesOf(folder, path, buffer));
      if (jobFileName(head.job.id) !== name) throw new Error(`It holds job ${head.job.id}.`);
    } catch (cause) {
      throw unreadable(path, cause);
    }
    yield head;
  }
}
