/** Files in a JSON body: attachments and a worker's files, as fields that check names, encodings and sizes. */
import * as z from "zod";
import type { Content, FileChange } from "../../domain/job/attachments.ts";
import type { Attachment } from "../../domain/job/job.ts";
import {
  ATTACHMENT_NAME,
  attachmentNameProblem,
  LONGEST_PATH,
  pathProblem,
} from "../../domain/market/submitted-path.ts";

export const MOST_ATTACHMENTS = 10;
export const MOST_FILES = 200;
/** Of one attachment or file, and of all in a body together, in bytes. The body itself has a bound as well. */
export const LARGEST_CONTENT = 512 * 1024;

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const TYPE = /^[a-z0-9][a-z0-9.+-]{0,63}\/[a-z0-9][a-z0-9.+-]{0,63}$/;

const says = (message: string) => ({ error: () => message });

const TOO_LARGE = `must be at most ${LARGEST_CONTENT / 1024} KB; hand larger things in as a link or a pull request.`;

const sizeOf = (base64: string): number => Buffer.byteLength(base64, "base64");

const objects = (problem: (text: string) => string | null) =>
  z.string(says("must be a string.")).superRefine((text, context) => {
    const sentence = problem(text);
    if (sentence !== null) context.addIssue({ code: "custom", message: sentence, continue: false });
  });

const distinct = (names: readonly { readonly name: string }[]): boolean =>
  new Set(names.map(({ name }) => name.toLowerCase())).size === names.length;

const attachment = z.strictObject({
  name: objects(attachmentNameProblem).meta({ pattern: ATTACHMENT_NAME.source }),
  type: z
    .string(says("must be a media type, as in text/plain."))
    .regex(TYPE, says("must be a media type, as in text/plain."))
    .default("application/octet-stream"),
  content: z
    .string(says("must be base64."))
    .regex(BASE64, says("must be base64."))
    .refine((text) => sizeOf(text) <= LARGEST_CONTENT, says(TOO_LARGE))
    .meta({ description: "Base64." }),
});

/** What is told of attachments, and what they hold. */
export interface Attached {
  readonly attachments: readonly Attachment[];
  readonly contents: readonly Content[];
}

export const attachmentsField = z
  .array(attachment, says("must be a list of {name, content, type}."))
  .max(MOST_ATTACHMENTS, says(`must be at most ${MOST_ATTACHMENTS}.`))
  .refine(distinct, says("must have names of their own."))
  .nullish()
  .transform(
    (given): Attached => ({
      attachments: (given ?? []).map(({ name, type, content }) => ({ name, type, size: sizeOf(content) })),
      contents: (given ?? []).map(({ name, content }) => ({ name, content })),
    }),
  );

interface GivenFile {
  readonly content: string | null;
  readonly encoding: "utf-8" | "base64";
}

const bytesOf = ({ content, encoding }: GivenFile): string | null =>
  encoding === "base64" || content === null ? content : Buffer.from(content, "utf8").toString("base64");

const sizeIn = ({ content, encoding }: GivenFile): number => Buffer.byteLength(content ?? "", encoding);

const file = z
  .strictObject({
    path: objects(pathProblem).meta({
      ...{ minLength: 1, maxLength: LONGEST_PATH },
      description: "Relative, as in `src/main.ts`; not in `.git`, `.jobs` or `.github/workflows`.",
    }),
    content: z.string(says("must be a string, or null for a file that goes.")).nullable(),
    encoding: z.enum(["utf-8", "base64"], says("must be utf-8 or base64.")).default("utf-8"),
  })
  .refine(({ content, encoding }) => encoding === "utf-8" || content === null || BASE64.test(content), {
    path: ["content"],
    error: () => "must be base64.",
    abort: true,
  })
  .refine((given) => sizeIn(given) <= LARGEST_CONTENT, {
    path: ["content"],
    error: () => TOO_LARGE,
    abort: true,
  })
  .transform((given) => ({ name: given.path, content: bytesOf(given) }));

export const filesField = z
  .array(file, says("must be a list of {path, content, encoding}."))
  .max(MOST_FILES, says(`must be at most ${MOST_FILES}; name a pull request of your own for more.`))
  .refine(distinct, says("must have paths of their own."))
  .nullish()
  .transform((given): readonly FileChange[] => given ?? []);
