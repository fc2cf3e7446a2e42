/** Converts older records of repositories to the next format. */

/** A repository became a record with a version and effects; before, its file held what was observed of it alone. */
export const repositoryTo2 = (observed: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => ({
  state: observed,
  version: 1,
  effects: [],
});
