/** A worker's submission: its schema, and how it is divided between the job's record and its attachment blob. */
import * as z from "zod";
import { NO_USAGE } from "../../../contracts/result.ts";
import { type AttachmentBlob, EMPTY_BLOB } from "../../../domain/job/attachments.ts";
import { type AgentResult, fullName, type Job, type Submission } from "../../../domain/job/job.ts";
import { attachmentsField, filesField } from "../../routing/contents-field.ts";

export const LONGEST_OUTPUT = 50_000;

const says = (message: string) => ({ error: () => message });
const PULL = /^\s*(?:#?([1-9]\d{0,8})|https?:\/\/[^/\s]+\/([^/\s]+\/[^/\s]+)\/pull\/([1-9]\d{0,8})\/?)\s*$/;
const PULL_SENTENCE = "must be the number of a pull request in the job's repository, or its address.";

/** Its number; `repository`: of an address, which must be the job's. */
interface NamedPull {
  readonly number: number;
  readonly repository: string | null;
}

const pullRequest = z
  .union(
    [z.number().int().positive(), z.string().max(500, says(PULL_SENTENCE)).regex(PULL, says(PULL_SENTENCE))],
    says(PULL_SENTENCE),
  )
  .transform((given): NamedPull => {
    if (typeof given === "number") return { number: given, repository: null };
    const [, number, repository = null, numberThere] = PULL.exec(given) ?? [];
    return { number: Number(number ?? numberThere), repository };
  });

export const submissionSchema = z.strictObject({
  output_text: z
    .string(says("must be a string."))
    .max(LONGEST_OUTPUT, says(`must have at most ${LONGEST_OUTPUT} characters; put more into a file.`))
    .nullish()
    .transform((text) => text?.trim() ?? ""),
  output_attachments: attachmentsField,
  files: filesField,
  pull_request: pullRequest.nullish().transform((given) => given ?? null),
});

export type SubmittedWork = z.infer<typeof submissionSchema>;

/** Why this is no work for this job; null: it is. */
export function submissionProblem(
  job: Job,
  { output_text, output_attachments, files, pull_request }: SubmittedWork,
): string | null {
  const nothing = output_text === "" && output_attachments.contents.length === 0 && files.length === 0;
  if (nothing && pull_request === null)
    return "Nothing is handed in; send output_text, output_attachments, files or pull_request.";
  if (pull_request !== null && files.length > 0)
    return "pull_request: stands in place of files; commit them to your pull request, or leave it out.";
  const other = pull_request?.repository ?? null;
  if (other !== null && other.toLowerCase() !== fullName(job.repository).toLowerCase())
    return `pull_request: must be in ${fullName(job.repository)}.`;
  return null;
}

/** What is kept beside the job; null: nothing. */
export const blobOf = ({ output_attachments, files }: SubmittedWork): AttachmentBlob | null =>
  output_attachments.contents.length === 0 && files.length === 0
    ? null
    : { ...EMPTY_BLOB, attachments: [...output_attachments.contents], files: [...files] };

export const submissionOf = (
  { output_attachments, files, pull_request }: SubmittedWork,
  blob: string | null,
): Submission => ({
  parcel: blob,
  files: files.map(({ name }) => name),
  attachments: output_attachments.attachments,
  pull_request: pull_request?.number ?? null,
});

export const workOf = (job: Job, { output_text, files }: SubmittedWork): AgentResult => ({
  outcome: "done",
  title: job.title,
  body: output_text,
  reason: null,
  model: "unknown",
  usage: NO_USAGE,
  cost_cents: null,
  changed_files: files.map(({ name }) => name),
});
