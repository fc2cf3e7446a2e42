/** The tree entry that a peer's branch holds. */
export const briefEntry = (branch: string) => ({
  path: `.jobs/${branch}/job.md`,
  mode: "100644" as const,
  type: "blob" as const,
  content: "do it\n",
});
