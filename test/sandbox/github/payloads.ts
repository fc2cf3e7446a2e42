/** JSON of users, repositories, Apps and installations, the same in REST answers and webhooks. */
import { EVENTS, PERMISSIONS } from "./app-permissions.ts";
import { fullName, type Installation, type Json, type Repository, type User } from "./model.ts";
import { iso, type World } from "./world.ts";

export const repoApi = (world: World, repository: Repository): string =>
  `${world.apiUrl}/repos/${fullName(repository)}`;
export const repoHtml = (world: World, repository: Repository): string => `${world.url}/${fullName(repository)}`;

export function userJson(world: World, user: User): Json {
  const api = `${world.apiUrl}/users/${encodeURIComponent(user.login)}`;
  return {
    login: user.login,
    id: user.id,
    node_id: `U_${user.id}`,
    avatar_url: "",
    gravatar_id: "",
    url: api,
    html_url:
      user.type === "Bot" ? `${world.url}/apps/${user.login.replace("[bot]", "")}` : `${world.url}/${user.login}`,
    followers_url: `${api}/followers`,
    following_url: `${api}/following{/other_user}`,
    gists_url: `${api}/gists{/gist_id}`,
    starred_url: `${api}/starred{/owner}{/repo}`,
    subscriptions_url: `${api}/subscriptions`,
    organizations_url: `${api}/orgs`,
    repos_url: `${api}/repos`,
    events_url: `${api}/events{/privacy}`,
    received_events_url: `${api}/received_events`,
    type: user.type,
    site_admin: false,
  };
}

export function repositoryJson(world: World, repository: Repository): Json {
  const url = repoApi(world, repository);
  const html = repoHtml(world, repository);
  const links = ["branches", "commits", "contents", "issues", "labels", "pulls", "statuses", "trees", "blobs"];
  return {
    id: repository.id,
    node_id: `R_${repository.id}`,
    name: repository.name,
    full_name: fullName(repository),
    private: repository.private,
    visibility: repository.private ? "private" : "public",
    owner: userJson(world, repository.owner),
    html_url: html,
    description: null,
    fork: false,
    url,
    ...Object.fromEntries(links.map((link) => [`${link}_url`, `${url}/${link}{/id}`])),
    git_url: `${html}.git`,
    clone_url: `${html}.git`,
    ssh_url: `${html}.git`,
    created_at: iso(repository.createdAt),
    updated_at: iso(repository.pushedAt),
    pushed_at: iso(repository.pushedAt),
    homepage: null,
    size: 1,
    stargazers_count: 0,
    watchers_count: 0,
    forks_count: 0,
    forks: 0,
    watchers: 0,
    open_issues: openIssues(repository),
    open_issues_count: openIssues(repository),
    language: null,
    license: null,
    topics: [],
    has_issues: true,
    has_projects: false,
    has_wiki: false,
    has_downloads: false,
    has_pages: false,
    archived: false,
    disabled: false,
    allow_forking: true,
    is_template: false,
    web_commit_signoff_required: false,
    default_branch: repository.defaultBranch,
  };
}

const openIssues = (repository: Repository) =>
  [...repository.issues.values()].filter((issue) => issue.state === "open").length;

export function appJson(world: World, slug = world.appSlug): Json {
  const own = slug === world.appSlug;
  const created = iso(0);
  const { made } = world.manifests;
  return {
    id: own ? world.appId : 15368,
    slug,
    node_id: `A_${own ? world.appId : 15368}`,
    client_id: own ? `Iv23li${world.appId}` : "Iv1.actions",
    owner: userJson(
      world,
      own ? (made?.owner ?? world.state.ensureUser("app-owner")) : world.state.ensureUser("github", "Organization"),
    ),
    name: own ? (made?.name ?? "Journeyman") : "GitHub Actions",
    description: "",
    external_url: world.url,
    html_url: `${world.url}/apps/${slug}`,
    created_at: created,
    updated_at: created,
    permissions: own ? { metadata: "read", ...PERMISSIONS } : {},
    events: own ? EVENTS : [],
  };
}

export function installationJson(world: World, installation: Installation): Json {
  return {
    id: installation.id,
    account: userJson(world, installation.account),
    repository_selection: "selected",
    access_tokens_url: `${world.apiUrl}/app/installations/${installation.id}/access_tokens`,
    repositories_url: `${world.apiUrl}/installation/repositories`,
    html_url: `${world.url}/settings/installations/${installation.id}`,
    app_id: world.appId,
    app_slug: world.appSlug,
    target_id: installation.account.id,
    target_type: installation.account.type,
    permissions: { metadata: "read", ...installation.permissions },
    events: installation.events,
    created_at: iso(installation.createdAt),
    updated_at: iso(installation.createdAt),
    single_file_name: null,
    has_multiple_single_files: false,
    single_file_paths: [],
    suspended_by: null,
    suspended_at: null,
  };
}
