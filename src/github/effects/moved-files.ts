/** Where moved files of a pull request came from: a file that leaves a guarded place has changed that place too. */
import type { Task } from "./task.ts";

const PAGE = 100;

/** The old paths; null: the list is longer than `most`. */
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
