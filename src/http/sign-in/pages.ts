/** The pages of signing in: the form, the key, and a page with a sentence for every failure. Texts only. */
import { type Html, html } from "../../text/html.ts";
import { pageOf } from "../pages/frame.ts";
import { OFFERED_DAYS, OFFERED_SCOPES, PROPOSED_DAYS, type SignInRequest } from "./key-request.ts";

export const TITLE = "A key for Journeyman";

const ABOUT: Readonly<Record<SignInRequest["scopes"][number], string>> = {
  read: "see how your jobs stand",
  write: "ask for jobs and change them",
  work: "take work from the market",
};

export const formPage = (action: string, repository: string): string =>
  pageOf(
    TITLE,
    html`<p>Who may write to a repository gets a key for it here. GitHub is asked who you are and whether you may write,
and nothing else; what it gives us for that is not kept.</p>
<form method="post" action="${action}">
<label>Repository <input name="repository" placeholder="owner/name" value="${repository}" required></label>
<fieldset><legend>The key may</legend>${OFFERED_SCOPES.map(
      (scope) =>
        html`<label><input type="checkbox" name="scopes" value="${scope}"${
          scope === "work" ? "" : html` checked`
        }> ${scope}: ${ABOUT[scope]}</label>`,
    )}</fieldset>
<label>It ends after <select name="days">${OFFERED_DAYS.map(
      (days) => html`<option value="${days}"${days === PROPOSED_DAYS ? html` selected` : ""}>${days} days</option>`,
    )}</select></label>
<button>Sign in with GitHub</button>
</form>`,
  );

export interface IssuedKey {
  readonly key: string;
  readonly id: string;
  readonly account: string;
  readonly key_request: SignInRequest;
  /** ISO 8601. */
  readonly expires_at: string;
  readonly public_url: string;
}

const curlOf = ({ key, key_request, public_url }: IssuedKey): string =>
  key_request.scopes.includes("write")
    ? `curl -sS -X POST '${public_url}/api/create-job' -H 'x-api-key: ${key}' -H 'content-type: application/json' -d '{"job": "create HELLO.md that says hello"}'`
    : `curl -sS '${public_url}/api/jobs/status?job_id=ID-OF-A-JOB' -H 'x-api-key: ${key}'`;

export const keyPage = (issued: IssuedKey): string =>
  pageOf(
    TITLE,
    html`<p>This is the key. It is shown this once: copy it now, and leave this page.</p>
<pre>${issued.key}</pre>
<p>It is ${issued.id} of the account ${issued.account}, for ${issued.key_request.repository} alone, with the scopes
${issued.key_request.scopes.join(", ")}, until ${issued.expires_at}. To try it:</p>
<pre>${curlOf(issued)}</pre>
<p>To revoke it, send <code>DELETE ${issued.public_url}/api/keys/self</code> with it.</p>`,
  );

/** `again`: where one begins anew; null where that would not help. */
export const sentencePage = (sentence: string, again: string | null): string => {
  const link: Html | string = again === null ? "" : html`\n<p><a href="${again}">Begin again</a></p>`;
  return pageOf(TITLE, html`<p>${sentence}</p>${link}`);
};
