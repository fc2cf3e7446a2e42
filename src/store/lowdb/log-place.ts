/** Where records of before keep their job's log: in themselves, or in a part of a file that they name. */
import * as z from "zod";
import { type LogLine, logLineSchema } from "../../contracts/log-line.ts";
import type { Folder } from "./disk.ts";

export const logPlace = z.object({
  /** Of the files that the job's logs have had, which one: the version of the record that it was made for. */
  file: z.number().int().positive(),
  /** Its bytes, from here to there. */
  from: z.number().int().nonnegative(),
  to: z.number().int().positive(),
});
export type LogPlace = z.infer<typeof logPlace>;

export const placeFileName = (id: string, { file }: LogPlace): string => `${id}-${file}.jsonl`;

/** A line that cannot be read is left out: no job may stand still for its log. */
export const linesOf = (text: string): LogLine[] => text.split("\n").flatMap((row) => lineOf(row) ?? []);

function lineOf(row: string): LogLine | null {
  try {
    return logLineSchema.safeParse(JSON.parse(row)).data ?? null;
  } catch {
    return null;
  }
}

export function linesAt(folder: Folder, id: string, place: LogPlace): LogLine[] {
  try {
    const bytes = folder.fs.readFileSync(folder.pathOf(placeFileName(id, place)));
    return linesOf(bytes.toString("utf8", place.from, place.to));
  } catch {
    return [];
  }
}
