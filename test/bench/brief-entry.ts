/** What a peer's branch carries, as an entry of a tree. */
export const briefEntry = (branch: string) => ({
  path: `.jobs/${branch}/job.md`,
  mode: "100644" as const,
  type: "blob" as const,
  content: "do it\n",
});
