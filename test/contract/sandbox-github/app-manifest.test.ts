/** The local GitHub makes an App from a manifest and installs it, and refuses what GitHub refuses. */
import { createPrivateKey } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { formOf, openBrowser, type Visit, wordsOf } from "../../flows/browser.ts";
import { type SandboxGitHub, startGitHub } from "../../sandbox/github/main.ts";
import { asApp } from "./kit.ts";

const HOUR_MS = 3_600_000;
const BACK = "http://app.example.com/back";

let github: SandboxGitHub;
let now = Date.now();
beforeEach(async () => {
  now = Date.now();
  github = await startGitHub({ now: () => now });
  github.createUser("ada");
  github.createUser("octo", "Organization");
  github.createRepository({ owner: "octo", name: "demo" });
  github.createRepository({ owner: "ada", name: "own" });
});
afterEach(() => github.close());

const manifest = (change: object = {}): string =>
  JSON.stringify({
    ...{ name: "Our App", url: "http://app.example.com", redirect_url: BACK, public: false },
    hook_attributes: { url: "http://app.example.com/hooks" },
    callback_urls: ["http://app.example.com/keys/callback"],
    default_permissions: { issues: "write", contents: "read" },
    default_events: ["issues", "push", "repository"],
    ...change,
  });

/** As a page of somebody else posts it. */
const ask = (text: string, owner = "/organizations/octo", state = "the-state"): Promise<Visit> =>
  openBrowser({ origin: "https://elsewhere.example.com" }).post(
    `${github.url}${owner}/settings/apps/new?state=${state}`,
    [["manifest", text]],
  );

async function confirm(page: Visit, fields: Record<string, string> = {}, headers = {}): Promise<Visit> {
  const { action, fields: shown } = formOf(page.text);
  const kept = shown.filter(([name]) => !(name in fields));
  const url = new URL(action, page.url).href;
  return openBrowser(headers).post(url, [...kept, ...Object.entries(fields)], ({ origin }) => origin !== github.url);
}

const convert = async (code: string) => {
  const answer = await fetch(`${github.apiUrl}/app-manifests/${code}/conversions`, { method: "POST" });
  return { status: answer.status, body: z.record(z.string(), z.unknown()).parse(await answer.json()) };
};

const codeOf = async (page: Visit): Promise<string> => (await confirm(page)).url.searchParams.get("code") ?? "";

describe("an App from a manifest", () => {
  it("is shown first, then made, and its credentials are handed over once", async () => {
    const page = await ask(manifest());
    expect([page.status, wordsOf(page.text)]).toEqual([200, expect.stringContaining("Create GitHub App for octo")]);
    expect(github.appSlug).toBe("journeyman");
    const made = await confirm(page);
    expect(made.url.href).toMatch(new RegExp(`^${BACK}\\?code=[0-9a-f]{40}&state=the-state$`));
    const { status, body } = await convert(made.url.searchParams.get("code") ?? "");
    expect([status, body]).toMatchObject([
      201,
      { id: github.appId, slug: "our-app", name: "Our App", html_url: `${github.url}/apps/our-app` },
    ]);
    expect(body).toMatchObject({ owner: { login: "octo" }, client_id: github.clientId });
    expect(body.client_secret).toBe(github.clientSecret);
    const pem = z.string().parse(body.pem);
    expect(pem).toMatch(/^-----BEGIN RSA PRIVATE KEY-----/);
    expect(createPrivateKey(pem).export({ type: "pkcs8", format: "pem" })).toBe(github.privateKey);
    expect(body.webhook_secret).toMatch(/^[0-9a-f]{40}$/);
    expect((await convert(made.url.searchParams.get("code") ?? "")).status).toBe(404);
    expect((await asApp(github)("GET /app")).body).toMatchObject({ slug: "our-app", owner: { login: "octo" } });
    expect((await asApp(github)("GET /app/hook/config")).body).toMatchObject({ url: "http://app.example.com/hooks" });
  });

  it("is forgotten after an hour", async () => {
    const code = await codeOf(await ask(manifest()));
    now += HOUR_MS;
    expect((await convert(code)).status).toBe(404);
    expect((await convert("unknown")).status).toBe(404);
  });

  it("belongs to whoever is there, unless an organization is named", async () => {
    expect(wordsOf((await ask(manifest(), "")).text)).toContain("Create GitHub App for ada");
    expect((await ask(manifest(), "/organizations/nobody")).status).toBe(404);
    expect((await ask(manifest(), "/organizations/ada")).status).toBe(404);
  });

  it.each([
    ["no JSON", "{", "does not appear to be a valid GitHub App manifest"],
    ["no url", manifest({ url: undefined }), "url:"],
    ["a webhook without an address", manifest({ hook_attributes: {} }), "hook_attributes.url:"],
    ["a callback that is none", manifest({ callback_urls: ["javascript:alert(1)"] }), "callback_urls.0:"],
    ["eleven callbacks", manifest({ callback_urls: Array(11).fill(BACK) }), "callback_urls:"],
    [
      "an unknown permission",
      manifest({ default_permissions: { everything: "write" }, default_events: [] }),
      "everything",
    ],
    ["an event without its permission", manifest({ default_events: ["check_run"] }), "events unsupported: check_run"],
    ["an unknown event", manifest({ default_events: ["coffee"] }), "events unsupported: coffee"],
  ])("is refused for %s", async (_, text, sentence) => {
    const page = await ask(text);
    expect([page.status, wordsOf(page.text)]).toEqual([422, expect.stringContaining(sentence)]);
  });

  it("gets no name that is too long or that somebody has", async () => {
    const page = await ask(manifest());
    for (const name of ["Ada", "x".repeat(35), "!"]) {
      const refused = await confirm(page, { name });
      expect([name, refused.status, refused.text.includes("Create GitHub App for octo")]).toEqual([name, 422, true]);
    }
    expect((await confirm(page, { name: "Octo" })).url.href).toContain(BACK);
  });

  it("is made by GitHub's own page alone", async () => {
    const page = await ask(manifest());
    expect((await confirm(page, {}, { origin: "https://elsewhere.example.com" })).status).toBe(403);
    expect(github.appSlug).toBe("journeyman");
  });

  it("gets no webhook at an address that the internet does not reach, where that is not this machine's own GitHub", async () => {
    const outside = await startGitHub({ privateHooks: false });
    outside.createUser("ada");
    const at = (url: string) =>
      openBrowser().post(`${outside.url}/settings/apps/new`, [["manifest", manifest({ hook_attributes: { url } })]]);
    for (const url of ["http://localhost:3000/x", "http://127.0.0.1/x", "http://10.1.2.3/x", "http://[::1]/x"])
      expect(wordsOf((await at(url)).text)).toContain("isn't reachable over the public Internet");
    expect((await at("https://app.example.com/x")).status).toBe(200);
    await outside.close();
  });
});

describe("installing it", () => {
  const installPage = () => openBrowser().get(`${github.url}/apps/our-app/installations/new`);

  it("offers the repositories of its owner alone, and leads to the set-up address with the installation's id", async () => {
    await confirm(await ask(manifest({ setup_url: "http://app.example.com/installed" })));
    const page = await installPage();
    expect(page.text).toContain('value="octo/demo"');
    expect(page.text).not.toContain("ada/own");
    expect((await confirm(page, { choice: "some", repository: "ada/own" })).status).toBe(422);
    const there = await confirm(page, { choice: "some", repository: "octo/demo" });
    expect(there.url.href).toMatch(/^http:\/\/app\.example\.com\/installed\?installation_id=\d+&setup_action=install$/);
    const [installation] = z
      .array(z.looseObject({ permissions: z.unknown(), events: z.unknown() }))
      .parse((await asApp(github)("GET /app/installations")).body);
    expect(installation).toMatchObject({
      ...{ account: { login: "octo" }, permissions: { metadata: "read", issues: "write", contents: "read" } },
      events: ["issues", "push", "repository"],
    });
  });

  it("offers all repositories where the App is public, and nothing under another name", async () => {
    await confirm(await ask(manifest({ public: true })));
    expect((await installPage()).text).toContain("ada/own");
    expect((await openBrowser().get(`${github.url}/apps/journeyman/installations/new`)).status).toBe(404);
  });
});
