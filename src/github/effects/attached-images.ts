/**
 * Fetches the images in a job's texts, for the brief. GitHub hands out an attachment by a signed address alone, which
 * stands in the text as GitHub renders it and lives five minutes (github-facts 15). What cannot be had is told in
 * sentences, so that the agent does not guess. Errors here never fail a brief.
 */
import * as z from "zod";
import type { Brief } from "../../contracts/brief.ts";
import { imageFile, MAX_IMAGES, MAX_IMAGES_BYTES } from "../../contracts/images.ts";
import type { CommentId } from "../../domain/job/comment-id.ts";
import { type Attachment, attachmentsIn, imageAddressesIn } from "../../text/attachments.ts";
import { counted } from "../../text/plural.ts";
import { head } from "../../text/text.ts";
import { gitHubErrorOf } from "../client/errors.ts";
import { ask } from "../client/graphql.ts";
import type { Fetched } from "../client/image-fetcher.ts";
import type { Task } from "./task.ts";

/** A text of an issue or comment: its words, and where GitHub's rendering of it may be, likely places first. */
export interface Source {
  readonly text: string;
  readonly places: readonly Place[];
}

export type Place =
  | { readonly issue: number }
  | { readonly comment: CommentId }
  | { readonly review: number; readonly pull: number };

export interface AttachedImages extends Pick<Brief, "images" | "missing_attachments"> {
  readonly files: readonly { readonly name: string; readonly bytes: Buffer }[];
}

export const NO_IMAGES: AttachedImages = { images: [], missing_attachments: [], files: [] };

/** Characters of a rendered text that are read; GitHub's own texts have at most 65,536 before that. */
const MAX_HTML = 1024 * 1024;
/** Sentences about attachments. */
const MAX_MISSING = 10;

const htmlSchema = z.object({ body_html: z.string().nullish().catch(null) });
const reviewSchema = z.object({ node: z.object({ bodyHTML: z.string().optional() }).nullable() });
const REVIEW_QUERY = "query Review($id: ID!) { node(id: $id) { ... on PullRequestReview { bodyHTML } } }";

async function renderedAt({ octokit, at }: Task, place: Place): Promise<string> {
  const full = { ...at, mediaType: { format: "full+json" } };
  if ("issue" in place)
    return bodyOf(
      await octokit.request("GET /repos/{owner}/{repo}/issues/{issue_number}", { ...full, issue_number: place.issue }),
    );
  if ("review" in place)
    return bodyOf(
      await octokit.request("GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}", {
        ...full,
        ...{ pull_number: place.pull, review_id: place.review },
      }),
    );
  const { comment } = place;
  if (typeof comment === "number")
    return bodyOf(
      await octokit.request("GET /repos/{owner}/{repo}/issues/comments/{comment_id}", { ...full, comment_id: comment }),
    );
  const [kind, id] = splitOnce(comment);
  if (kind === "review") {
    const { node } = await ask(octokit, REVIEW_QUERY, { id }, reviewSchema);
    return node?.bodyHTML ?? "";
  }
  return bodyOf(
    await octokit.request("GET /repos/{owner}/{repo}/pulls/comments/{comment_id}", {
      ...full,
      comment_id: Number(id),
    }),
  );
}

const bodyOf = ({ data }: { readonly data: unknown }): string => htmlSchema.safeParse(data).data?.body_html ?? "";

function splitOnce(text: string): [string, string] {
  const at = text.indexOf(":");
  return [text.slice(0, at), text.slice(at + 1)];
}

interface Wanted extends Attachment {
  readonly guid: string;
  readonly places: readonly Place[];
}

interface Sorted {
  readonly wanted: readonly Wanted[];
  readonly others: readonly string[];
}

/** Each attachment once, in the order of the sources. */
function sorted(sources: readonly Source[], web: URL): Sorted {
  const wanted = new Map<string, Wanted>();
  const others = new Set<string>();
  for (const { text, places } of sources)
    for (const { address, guid } of attachmentsIn(text, web))
      if (guid === null) others.add(address);
      else if (!wanted.has(guid)) wanted.set(guid, { address, guid, places });
  return { wanted: [...wanted.values()], others: [...others] };
}

/** The signed addresses of these images, by guid. Each place is read once. */
async function signedOf(task: Task, wanted: readonly Wanted[]): Promise<Map<string, URL>> {
  const read = new Map<string, Promise<Map<string, URL>>>();
  const at = (place: Place): Promise<Map<string, URL>> => {
    const key = JSON.stringify(place);
    const known = read.get(key) ?? addressesAt(task, place);
    read.set(key, known);
    return known;
  };
  const found = new Map<string, URL>();
  await Promise.all(
    wanted.map(async ({ guid, places }) => {
      for (const place of places) {
        const address = (await at(place)).get(guid);
        if (address !== undefined) return void found.set(guid, address);
      }
    }),
  );
  return found;
}

const addressesAt = (task: Task, place: Place): Promise<Map<string, URL>> =>
  renderedAt(task, place).then(
    (html) => imageAddressesIn(head(html, MAX_HTML), task.images.web),
    (thrown: unknown) => {
      if (gitHubErrorOf(thrown, task.now()) === null) throw thrown;
      return new Map();
    },
  );

export async function readImages(task: Task, sources: readonly Source[]): Promise<AttachedImages> {
  const { wanted, others } = sorted(sources, task.images.web);
  const chosen = wanted.slice(0, MAX_IMAGES);
  const signed = await signedOf(task, chosen);
  const fetched = await Promise.all(
    chosen.map(async ({ guid, address }) => {
      const at = signed.get(guid);
      const image: Fetched = at ? await task.images.fetch(at) : { ok: false, why: "GitHub does not show it here" };
      return { address, image };
    }),
  );
  const images: { file: string; address: string }[] = [];
  const files: { name: string; bytes: Buffer }[] = [];
  const missing: string[] = [];
  let size = 0;
  for (const { address, image } of fetched) {
    const fits = image.ok && size + image.bytes.length <= MAX_IMAGES_BYTES;
    if (!image.ok) missing.push(`The image ${address} could not be had: ${image.why}.`);
    else if (!fits) missing.push(`The image ${address} is left out: the images together are too large.`);
    if (!image.ok || !fits) continue;
    const file = imageFile(images.length + 1, image.type);
    size += image.bytes.length;
    images.push({ file, address });
    files.push({ name: file, bytes: image.bytes });
  }
  const more = wanted.length - chosen.length;
  if (more > 0)
    missing.push(`${counted(more, "more image is", "more images are")} left out: a job gets at most ${MAX_IMAGES}.`);
  missing.push(...others.slice(0, MAX_MISSING).map((one) => `The file ${one} can be opened by people only.`));
  return { images, missing_attachments: missing, files };
}
