/**
 * Compares the C library of the runner with this one's: a tool that was built for a newer one fails in ways that nobody
 * understands.
 */
import * as z from "zod";

const VERSION = /^(\d{1,4})\.(\d{1,4})$/;

const reportSchema = z.object({ header: z.object({ glibcVersionRuntime: z.string().regex(VERSION) }) });

/** The version of this process's glibc; "" where it runs on another C library. */
export function cLibrary(): string {
  // Else it would ask for the name of every address.
  Object.assign(process.report, { excludeNetwork: true });
  return reportSchema.safeParse(process.report.getReport()).data?.header.glibcVersionRuntime ?? "";
}

const numbers = (version: string): readonly [number, number] => {
  const [, major = "0", minor = "0"] = VERSION.exec(version) ?? [];
  return [Number(major), Number(minor)];
};

const WHAT_NOW = "Let `runs-on` name an older one, or name an image as `container` in .github/journeyman.yml.";

/** Why the runner's tools cannot start here, in sentences; null when they can, or when there are none. */
export function newerLibrary(runners: string | null, given?: string): string | null {
  if (runners === null) return null;
  const own = given ?? cLibrary();
  const cannot = "so the tools of the workflow's earlier steps cannot start in the agent's image";
  if (!VERSION.test(runners)) return `This runner's C library is not glibc, ${cannot}. ${WHAT_NOW}`;
  const [theirs, ours] = [numbers(runners), numbers(own)];
  if (theirs[0] < ours[0] || (theirs[0] === ours[0] && theirs[1] <= ours[1])) return null;
  return `This runner's C library (glibc ${runners}) is newer than that of the agent's image (${own}), ${cannot}. ${WHAT_NOW}`;
}
