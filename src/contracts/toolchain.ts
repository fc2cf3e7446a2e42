/**
 * What the run action tells the agent about the tools in its container, as JSON in one variable. The variables in it are
 * meant for the model's shell and never become those of the agent itself.
 */
import * as z from "zod";

export const TOOLCHAIN_VARIABLE = "AGENT_TOOLCHAIN";

/** Characters; a variable of a process has at most 128 KB. */
export const MAX_TOOLCHAIN = 64 * 1024;

export const toolchainSchema = z.object({
  /** The tools of the workflow's set-up steps, such as `go 1.22.12`. */
  tools: z.array(z.string()).default([]),
  /** The runner's C library, which those tools were built for: glibc's version, "" for another; null: none of them. */
  c_library: z.string().nullable().default(null),
  /** The folders of the home that the repository's cache has filled, such as `~/.npm`. */
  cached: z.array(z.string()).default([]),
  /** The shell's home; null: an empty one. */
  home: z.string().nullable().default(null),
  variables: z.record(z.string(), z.string()).default({}),
  /** Folders that stand before the others on the shell's PATH. */
  path_before: z.array(z.string()).default([]),
  /** Folders for what is on no other one. */
  path_after: z.array(z.string()).default([]),
});

export type Toolchain = z.infer<typeof toolchainSchema>;
