/** JSON of commits: as git objects, as `commits` lists them, and as `push` shows them. */
import type { Commit } from "./git-commits.ts";
import type { Json, Repository, User } from "./model.ts";
import { repoApi, repoHtml, userJson } from "./payloads.ts";
import { iso, type World } from "./world.ts";

const gitUser = (who: Commit["author"]) => ({ name: who.name, email: who.email, date: iso(who.at) });

/** A git commit object, as `git/commits` answers it. */
export function gitCommitJson(world: World, repository: Repository, commit: Commit): Json {
  const api = repoApi(world, repository);
  const verified = repository.verifiedCommits.has(commit.sha);
  return {
    sha: commit.sha,
    node_id: `C_${repository.id}_${commit.sha}`,
    url: `${api}/git/commits/${commit.sha}`,
    html_url: `${repoHtml(world, repository)}/commit/${commit.sha}`,
    author: gitUser(commit.author),
    committer: gitUser(commit.committer),
    tree: { sha: commit.tree, url: `${api}/git/trees/${commit.tree}` },
    message: commit.message,
    parents: commit.parents.map((sha) => ({
      sha,
      url: `${api}/git/commits/${sha}`,
      html_url: `${repoHtml(world, repository)}/commit/${sha}`,
    })),
    verification: {
      verified,
      reason: verified ? "valid" : "unsigned",
      signature: verified ? "-----BEGIN PGP SIGNATURE-----" : null,
      payload: null,
      verified_at: verified ? iso(commit.committer.at) : null,
    },
  };
}

/** A commit as `commits` answers it: the git object with its accounts. */
export function commitJson(world: World, repository: Repository, commit: Commit): Json {
  const { sha, node_id, parents, tree, ...rest } = gitCommitJson(world, repository, commit);
  const account = (who: Commit["author"]) => accountOf(world, who.email);
  const [author, committer] = [account(commit.author), account(commit.committer)];
  return {
    sha,
    node_id,
    commit: { ...rest, tree, comment_count: 0 },
    url: `${repoApi(world, repository)}/commits/${commit.sha}`,
    html_url: rest.html_url,
    comments_url: `${repoApi(world, repository)}/commits/${commit.sha}/comments`,
    author: author ? userJson(world, author) : null,
    committer: committer ? userJson(world, committer) : null,
    parents,
  };
}

export const emailOf = (user: User): string =>
  user.login === "web-flow" ? "noreply@github.com" : `${user.id}+${user.login}@users.noreply.github.com`;

function accountOf(world: World, email: string): User | undefined {
  if (email === "noreply@github.com") return world.state.user("web-flow");
  const login = /^\d+\+(.+)@users\.noreply\.github\.com$/.exec(email)?.[1];
  return login ? world.state.user(login) : undefined;
}

/** A commit as `push` and `workflow_run` payloads show it. */
export function pushCommitJson(world: World, repository: Repository, commit: Commit): Json {
  const person = (who: Commit["author"]) => {
    const account = accountOf(world, who.email);
    return { name: who.name, email: who.email, date: iso(who.at), ...(account ? { username: account.login } : {}) };
  };
  return {
    id: commit.sha,
    tree_id: commit.tree,
    distinct: true,
    message: commit.message,
    timestamp: iso(commit.committer.at),
    url: `${repoHtml(world, repository)}/commit/${commit.sha}`,
    author: person(commit.author),
    committer: person(commit.committer),
    ...repository.git.changes(commit.parents[0], commit.sha),
  };
}
