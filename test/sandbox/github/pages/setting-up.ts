/** The pages on which a person adds a file to a branch and a secret to a repository, and their forms. */
import { html } from "../../../../src/text/html.ts";
import { hasRole } from "../access.ts";
import { notFound, Refusal } from "../errors.ts";
import type { Repository, User } from "../model.ts";
import type { Render } from "./visit.ts";

interface Given {
  readonly repository: Repository;
  readonly user: User;
  readonly form: URLSearchParams;
}

/** Others are offered a fork on GitHub. */
export const newFilePage: Render = ({ repository, base, acting, query, rest }) => {
  const branch = rest[0] ?? "";
  if (!hasRole(repository, acting.user.login, "write") || repository.git.branch(branch) === undefined) return undefined;
  return {
    title: "New file",
    tab: "code",
    body: html`<h1>New file on <span class="branch">${branch}</span></h1><form class="card write" method="post" action="${base}/create/${branch}"><div class="card-body">
<p><label for="filename">Name your file</label><input id="filename" name="filename" required value="${query.get("filename") ?? ""}"></p>
<p><label for="value">File contents</label><textarea id="value" name="value" rows="24" spellcheck="false">${query.get("value") ?? ""}</textarea></p>
<div class="buttons"><button class="primary">Commit changes</button></div></div></form>`,
  };
};

/** Where GitHub goes afterwards: to the file. `write` puts it there as the person. */
export function newFile(
  { form }: Pick<Given, "form">,
  branch: string,
  write: (path: string, body: unknown) => Promise<unknown>,
): Promise<string> {
  const path = form.get("filename") ?? "";
  const text = (form.get("value") ?? "").replaceAll("\r\n", "\n");
  if (path === "" || path.split("/").includes("..")) throw new Refusal(422, "The file needs a name.");
  const content = Buffer.from(text).toString("base64");
  return write(path, { branch, content, message: `Create ${path.split("/").at(-1)}` }).then(
    () => `blob/${branch}/${path}`,
  );
}

export const newSecretPage: Render = ({ repository, base, acting }) => {
  if (!hasRole(repository, acting.user.login, "admin")) return undefined;
  return {
    title: "New secret",
    tab: "code",
    body: html`<h1>Actions secrets / New secret</h1><form class="card write" method="post" action="${base}/settings/secrets/actions"><div class="card-body">
<p><label for="name">Name</label><input id="name" name="name" required placeholder="YOUR_SECRET_NAME" autocomplete="off"></p>
<p><label for="secret">Secret</label><textarea id="secret" name="secret" required></textarea></p>
<div class="buttons"><button class="primary">Add secret</button></div></div></form>`,
  };
};

/** The names alone: GitHub never shows a secret again. */
export const secretsPage: Render = ({ repository, acting }) => {
  if (!hasRole(repository, acting.user.login, "admin")) return undefined;
  const names = Object.keys(repository.secrets);
  return {
    title: "Actions secrets",
    tab: "code",
    body: html`<h1>Actions secrets</h1><div class="box"><ul class="rows">${names.map((name) => html`<li>${name}</li>`)}</ul></div>`,
  };
};

const SECRET_NAME = /^(?!GITHUB_)[A-Z_][A-Z0-9_]*$/i;

export async function newSecret({ form, repository, user }: Given): Promise<string> {
  if (!hasRole(repository, user.login, "admin")) throw notFound();
  const name = form.get("name") ?? "";
  if (!SECRET_NAME.test(name)) throw new Refusal(422, "Secret names can only contain letters, digits and _.");
  repository.secrets[name.toUpperCase()] = form.get("secret") ?? "";
  return "settings/secrets/actions";
}
