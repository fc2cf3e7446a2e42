/**
 * Finds the old paths of moved files in a pull request: moving a file out of a protected folder changes that folder
 * too.
 */
import type { Task } from "./task.ts";

const PAGE = 100;

/** The old paths; null when there are more than `most`. */
export async function movedFrom({ octokit, at }: Task, pull_number: number, most: number): Promise<string[] | null> {
  const paths: string[] = [];
  for (let page = 1; (page - 1) * PAGE < most; page++) {
    const { data } = await octokit.request("GET /repos/{owner}/{repo}/pulls/{pull_number}/files", {
      ...at,
      pull_number,
      per_page: PAGE,
      page,
    });
    paths.push(...data.flatMap(({ previous_filename }) => previous_filename ?? []));
    if (data.length < PAGE) return paths;
  }
  return null;
}
