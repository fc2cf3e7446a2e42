/** The pages of the set-up: the token, the form, what GitHub is going to make, and what came of it. Texts alone. */
import { type Html, html } from "../../text/html.ts";
import { pageOf } from "../pages/frame.ts";
import { type AppForm, MAX_APP_NAME_LENGTH } from "./app-request.ts";
import { MAX_ADDRESS_LENGTH } from "./public-address.ts";

export const TITLE = "Set up Journeyman";

const problem = (sentence: string | null): Html =>
  sentence === null ? html`` : html`<p role="alert">${sentence}</p>\n`;

export const tokenPage = (sentence: string | null): string =>
  pageOf(
    TITLE,
    html`${problem(sentence)}<p>This server is not set up yet. It printed a token at its start, which proves that you run it.</p>
<form method="post" action="/setup/token">
<label>Token <input name="token" type="password" autocomplete="off" required></label>
<button>Go on</button>
</form>`,
  );

export interface FormView {
  readonly form: Omit<AppForm, "smee">;
  /** The settings say where the server is reached. */
  readonly address_is_set: boolean;
  readonly offers_smee: boolean;
  readonly sentence: string | null;
}

const addressField = ({ form, address_is_set }: FormView): Html =>
  address_is_set
    ? html`<p>The server's public address is <code>${form.address}</code>, as <code>PUBLIC_URL</code> says.</p>`
    : html`<label>Public address of this server, where GitHub and you reach it <input name="address" type="url" value="${form.address}" placeholder="https://journeyman.example.com" maxlength="${MAX_ADDRESS_LENGTH}" size="40" required></label>`;

const smeeField = html`<label><input type="checkbox" name="smee" value="yes"> GitHub cannot reach that address: let a new channel of smee.io pass the webhooks on. For development only, since everybody who knows the channel can read them.</label>
`;

export const formPage = (view: FormView): string =>
  pageOf(
    TITLE,
    html`${problem(view.sentence)}<p>This server gets a GitHub App of its own. GitHub shows you the App before it makes it.</p>
<form method="post" action="/setup/app">
${addressField(view)}
<label>Organisation that the App is for; leave it empty for your own account <input name="organization" value="${view.form.organization}" placeholder="octo-org" maxlength="39"></label>
<label>Name of the App, one that nobody on GitHub has <input name="name" value="${view.form.name}" maxlength="${MAX_APP_NAME_LENGTH}" required></label>
${view.offers_smee ? smeeField : ""}<button>Go on</button>
</form>`,
  );

export interface Review {
  /** GitHub's own form. */
  readonly action: string;
  readonly manifest: { readonly name: string; readonly callback_urls: readonly string[] };
  readonly webhooks: string;
  readonly organization: string | null;
}

export const reviewPage = ({ action, manifest, webhooks, organization }: Review): string =>
  pageOf(
    TITLE,
    html`<p>GitHub is asked to make this App, with the permissions and events that Journeyman needs:</p>
<ul>
<li>Name: ${manifest.name}</li>
<li>Owner: ${organization ?? "your own account"}</li>
<li>Webhooks go to ${webhooks}</li>
<li>Whoever signs in for a key comes back to ${manifest.callback_urls.join(", ")}</li>
</ul>
<form method="post" action="${action}">
<input type="hidden" name="manifest" value="${JSON.stringify(manifest)}">
<button>Create the App on GitHub</button>
</form>
<p><a href="/setup">Change something</a></p>`,
  );

export const madePage = (app: { readonly name: string; readonly install_url: string }): string =>
  pageOf(
    TITLE,
    html`<p>GitHub has made the App ${app.name}. Its credentials are kept in the server's data folder, and the server is starting with
them.</p>
<p><a href="${app.install_url}">Install ${app.name} on your repositories</a></p>`,
  );

export const unkeptPage = (): string =>
  pageOf(
    TITLE,
    html`<p role="alert">GitHub has made the App, but its credentials could not be written to the data folder; the server's log says
why. Do not stop the server: mend that, then try again.</p>
<form method="post" action="/setup/keep"><button>Try again</button></form>`,
  );

/** `again`: whether beginning anew helps. */
export const sentencePage = (sentence: string, again: boolean): string =>
  pageOf(TITLE, html`<p role="alert">${sentence}</p>${again ? html`\n<p><a href="/setup">Begin again</a></p>` : ""}`);
