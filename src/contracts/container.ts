/** The repository's own image for its jobs: its name and the commands that set it up. */
import * as z from "zod";
import { globs } from "./globs.ts";

/** Docker's own limit for the name before tag and digest. */
const MAX_NAME = 255;
const MAX_IMAGE = 500;
const MAX_COMMAND = 4_000;
export const MAX_SETUP_COMMANDS = 20;
export const SETUP_MINUTES = 15;
export const MAX_SETUP_MINUTES = 60;

const COMPONENT = /^[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*$/;
const HOST = /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Whether this is `[host[:port]/]path[:tag][@sha256:digest]`, as Docker writes a reference. */
export function isImageName(text: string): boolean {
  if (text.length > MAX_IMAGE) return false;
  const [named = "", ...digests] = text.split("@");
  if (digests.length > 1 || !digests.every((digest) => DIGEST.test(digest))) return false;
  const colon = named.indexOf(":", named.lastIndexOf("/") + 1);
  if (colon !== -1 && !TAG.test(named.slice(colon + 1))) return false;
  const name = colon === -1 ? named : named.slice(0, colon);
  const [first = "", ...rest] = name.split("/");
  const isHost = rest.length > 0 && (/[.:A-Z]/.test(first) || first === "localhost");
  return (
    name.length <= MAX_NAME &&
    (isHost ? HOST.test(first) : COMPONENT.test(first)) &&
    rest.every((part) => COMPONENT.test(part))
  );
}

const image = z
  .string()
  .refine(isImageName, "is the name of an image such as ruby:3.4 or ghcr.io/acme/ci@sha256:…, in lower case");

export const command = z
  .string()
  .min(1)
  .max(MAX_COMMAND)
  // Docker and the shell end a word there.
  .refine((text) => !text.includes("\0") && text.trim() !== "", "is a command for the image's /bin/sh");

export const containerSchema = z.strictObject({
  image,
  setup: z.array(command).max(MAX_SETUP_COMMANDS).default([]),
  /** Globs of files of the default branch that the commands see, read-only in /workspace. Missing: none. */
  setup_paths: globs.min(1).optional(),
  /** For all commands together. */
  setup_minutes: z.number().int().min(1).max(MAX_SETUP_MINUTES).default(SETUP_MINUTES),
});

export type Container = z.infer<typeof containerSchema>;
