/** The set-up page of a server without an App, against a local GitHub: who comes in, what is asked, and what comes of it. */
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { Secret } from "../../src/contracts/secret.ts";
import type { AppRegistration } from "../../src/engine/ports/app-registration.ts";
import { createAppRegistration } from "../../src/github/client/app-manifest.ts";
import { WRONG_KEYS_PER_MINUTE } from "../../src/http/middleware/wrong-key-throttling.ts";
import { type EarlyListener, listenEarly } from "../../src/http/server/bootstrap.ts";
import type { Known } from "../../src/http/setup/app-request.ts";
import { readManifestTemplate } from "../../src/http/setup/manifest.ts";
import { oneTimeToken } from "../../src/http/setup/one-time-token.ts";
import { SET_UP_LIFE_MS } from "../../src/http/setup/session.ts";
import { createSetUp } from "../../src/http/setup/setup.ts";
import { keepApp, withKeptApp } from "../../src/main/app-file.ts";
import { logTo } from "../../src/main/log.ts";
import { createSealedBox } from "../../src/main/seal.ts";
import { dataFolder } from "../data-folder.ts";
import { type Browser, formOf, openBrowser, type Visit, wordsOf } from "../flows/browser.ts";
import { handClock } from "../flows/clock.ts";
import { textOf } from "../process/read-markdown.ts";
import { type SandboxGitHub, startGitHub } from "../sandbox/github/main.ts";

const TOKEN = "the-token-of-this-start";
const ADDRESS = "https://journeyman.example.com";
const CHANNEL = "https://smee.example.com/abcdef";

interface Server {
  readonly url: string;
  readonly made: () => boolean;
}

interface Wishes extends Partial<Known> {
  readonly registration?: AppRegistration;
  readonly newChannel?: () => Promise<string>;
  readonly dir?: string;
}

let github: SandboxGitHub;
let dir: string;
let lines: string[];
const listeners: EarlyListener[] = [];
let clock: ReturnType<typeof handClock>;

beforeEach(async () => {
  clock = handClock();
  dir = dataFolder("setup-");
  lines = [];
  github = await startGitHub({ now: clock.now });
  github.createUser("ada");
  github.createUser("octo", "Organization");
});
afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.close();
  await github.close();
  rmSync(dir, { recursive: true, force: true });
});

async function serve({ registration, newChannel, dir: data_dir = dir, ...known }: Wishes = {}): Promise<Server> {
  const listener = await listenEarly({ host: "127.0.0.1", port: 0 });
  listeners.push(listener);
  const box = createSealedBox({ encryption_key: null, data_dir });
  const setUp = createSetUp({
    ...{ public_url: null, webhook_proxy_url: null, enterprise: false, ...known },
    ...{ trust_proxy: 1, box, now: clock.now, github_web_url: github.url },
    token: oneTimeToken(new Secret(TOKEN)),
    template: readManifestTemplate(textOf("app.yml")),
    registration: registration ?? createAppRegistration(github.apiUrl),
    newChannel: newChannel ?? (async () => CHANNEL),
    keep: (app, where) => keepApp(data_dir, box, { ...app, ...where }),
    log: logTo({ write: (line: string) => void lines.push(line) }, "debug"),
  });
  listener.open(setUp.listener);
  let made = false;
  void setUp.made.then(() => {
    made = true;
  });
  return { url: listener.url, made: () => made };
}

type Fields = Readonly<Record<string, string>>;

/** Sends the form that a page shows, with these fields in place of its own. */
const send = (browser: Browser, page: Visit, fields: Fields = {}, stop?: (next: URL) => boolean): Promise<Visit> => {
  const { action, fields: shown } = formOf(page.text);
  const kept = shown.filter(([name]) => !(name in fields));
  return browser.post(new URL(action, page.url).href, [...kept, ...Object.entries(fields)], stop);
};

const enter = async ({ url }: Server, browser: Browser, token = TOKEN): Promise<Visit> =>
  send(browser, await browser.get(`${url}/setup`), { token });

const wish = async (server: Server, browser: Browser, fields: Fields = {}): Promise<Visit> =>
  send(browser, await enter(server, browser), { address: ADDRESS, ...fields });

const manifestSchema = z.object({
  name: z.string(),
  url: z.string(),
  hook_attributes: z.object({ url: z.string(), active: z.boolean() }),
  redirect_url: z.string(),
  callback_urls: z.array(z.string()),
  setup_url: z.string(),
  public: z.boolean(),
  default_permissions: z.record(z.string(), z.string()),
  default_events: z.array(z.string()),
});
const manifestIn = (page: Visit) =>
  manifestSchema.parse(JSON.parse(formOf(page.text).fields.find(([name]) => name === "manifest")?.[1] ?? ""));

/** Where GitHub sends the browser back to, with the code; not gone there yet. */
async function approved(browser: Browser, review: Visit): Promise<URL> {
  const confirm = await send(browser, review);
  expect(wordsOf(confirm.text)).toContain("Create GitHub App for");
  return (await send(browser, confirm, {}, ({ pathname }) => pathname === "/setup/callback")).url;
}

const kept = () => withKeptApp({ DATA_DIR: dir }, dir);

describe("somebody without the token", () => {
  it("is answered by probes alone, and nothing else is there", async () => {
    const { url } = await serve();
    const ask = async (method: string, path: string) => (await fetch(`${url}${path}`, { method })).status;
    expect(await ask("GET", "/health")).toBe(200);
    expect(await ask("GET", "/ping")).toBe(200);
    expect(await ask("GET", "/ready")).toBe(503);
    for (const path of ["/docs", "/metrics", "/api/openapi.json", "/keys", "/probot", "/setup/nothing"])
      expect([path, await ask("GET", path)]).toEqual([path, 404]);
    expect(await ask("POST", "/api/github/webhooks")).toBe(404);
    expect(await ask("POST", "/api/create-job")).toBe(404);
  });

  it("is led from the root to the page that asks for it", async () => {
    const { url } = await serve();
    const answer = await fetch(url, { redirect: "manual" });
    expect([answer.status, answer.headers.get("location")]).toEqual([303, "/setup"]);
    expect((await openBrowser().get(url)).status).toBe(401);
  });

  it("sees a page that asks for it, tells nothing, and may be neither kept nor framed", async () => {
    const server = await serve({ public_url: "https://secret-host.example.com" });
    const page = await openBrowser().get(`${server.url}/setup`);
    expect(page.status).toBe(401);
    expect(page.text).not.toContain("secret-host");
    expect(page.text).not.toContain("<script");
    expect(page.headers.get("cache-control")).toBe("no-store");
    expect(page.headers.get("referrer-policy")).toBe("strict-origin");
    const policy = page.headers.get("content-security-policy") ?? "";
    for (const part of ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"])
      expect(policy).toContain(part);
    for (const path of ["/setup/app", "/setup/keep"])
      expect((await openBrowser().post(`${server.url}${path}`, [["address", ADDRESS]])).status).toBe(401);
  });

  it("is slowed down after too many guesses, even with the right one", async () => {
    const server = await serve();
    const browser = openBrowser();
    const guess = async (token: string) => (await browser.post(`${server.url}/setup/token`, [["token", token]])).status;
    for (let count = 0; count < WRONG_KEYS_PER_MINUTE; count++) expect(await guess(`wrong-${count}`)).toBe(401);
    expect(await guess(TOKEN)).toBe(429);
    clock.pass(60_000);
    expect(await guess(TOKEN)).toBe(200);
  });
});

describe("the token", () => {
  it("opens the page once, for one browser and an hour, and stands in no address and no log", async () => {
    const server = await serve();
    const [first, second] = [openBrowser(), openBrowser()];
    const page = await enter(server, first);
    expect([page.status, page.url.pathname, page.url.search]).toEqual([200, "/setup", ""]);
    expect(first.set[0]).toMatch(/^journeyman-setup=[\w.-]+; Max-Age=3600; Path=\/setup; HttpOnly; SameSite=Strict$/);

    const refused = await enter(server, second);
    expect(refused.status).toBe(401);
    expect(wordsOf(refused.text)).toContain("used already");
    expect(wordsOf((await enter(server, openBrowser(), "wrong")).text)).toContain("not the token");

    expect((await first.get(`${server.url}/setup`)).status).toBe(200);
    clock.pass(SET_UP_LIFE_MS + 1);
    expect((await first.get(`${server.url}/setup`)).status).toBe(401);
    expect(lines.join("")).not.toContain(TOKEN);
    expect(lines.join("")).toContain("/setup/token");
  });

  it("is not taken from a page of another site", async () => {
    const server = await serve();
    const foreign = [{ origin: "https://evil.example" }, { "sec-fetch-site": "cross-site" }, { origin: "null" }];
    for (const headers of foreign) {
      const answer = await openBrowser(headers).post(`${server.url}/setup/token`, [["token", TOKEN]]);
      expect([headers, answer.status]).toEqual([headers, 403]);
    }
    expect((await enter(server, openBrowser())).status).toBe(200);
  });

  it("comes in a cookie for https alone where the browser speaks https", async () => {
    const server = await serve();
    const browser = openBrowser({ origin: ADDRESS, host: "journeyman.example.com", "sec-fetch-site": "same-origin" });
    await browser.post(`${server.url}/setup/token`, [["token", TOKEN]]);
    expect(browser.set[0]).toMatch(/; Secure$/);
  });
});

describe("the form", () => {
  it("asks for the address where the settings do not say it, and for owner and name", async () => {
    const server = await serve();
    const page = await enter(server, openBrowser());
    expect(formOf(page.text).fields).toEqual([
      ["address", server.url],
      ["organization", ""],
      ["name", "Journeyman"],
    ]);
    const said = await enter(await serve({ public_url: ADDRESS }), openBrowser());
    expect(formOf(said.text).fields.map(([name]) => name)).toEqual(["organization", "name"]);
    expect(said.text).toContain(ADDRESS);
  });

  it("proposes the address by which it is visited, and one of another machine with https", async () => {
    const listener = await serve();
    const browser = openBrowser({ "x-forwarded-proto": "https" });
    await enter(listener, browser);
    const [cookie = ""] = browser.set;
    const page = await askAs(listener.url, "hooks.example.com", cookie.split(";")[0] ?? "");
    expect(formOf(page).fields[0]).toEqual(["address", "https://hooks.example.com"]);
    const local = await askAs(listener.url, "localhost:3000", cookie.split(";")[0] ?? "");
    expect(formOf(local).fields[0]).toEqual(["address", "http://localhost:3000"]);
    expect(wordsOf(local)).toContain("smee.io");
    const odd = await askAs(listener.url, "a/b:c", cookie.split(";")[0] ?? "");
    expect(formOf(odd).fields[0]?.[1] ?? "").not.toContain("/b");
  });

  it.each([
    ["", "must be one such as"],
    ["journeyman.example.com", "must be one such as"],
    ["ftp://journeyman.example.com", "must be one such as"],
    ["javascript:alert(1)", "must be one such as"],
    [`https://${"a".repeat(300)}.example.com`, "must be one such as"],
    ["http://journeyman.example.com", "must begin with https://"],
    ["http://localhost.example.com", "must begin with https://"],
    ["https://journeyman.example.com/path", "no path"],
    ["https://journeyman.example.com/?a=b", "no path"],
    ["https://journeyman.example.com/#a", "no path"],
    ["https://ada:secret@journeyman.example.com", "no path"],
    ["http://localhost:3000", "does not reach"],
    ["https://10.0.0.1", "does not reach"],
    ["https://[fd00::1]", "does not reach"],
    ["https://build-host", "does not reach"],
    ["https://journeyman.internal", "does not reach"],
  ])("refuses the address %j with a sentence and keeps what was typed", async (address, sentence) => {
    const page = await wish(await serve(), openBrowser(), { address, organization: "octo", name: "Ours" });
    expect(page.status).toBe(400);
    expect(wordsOf(page.text)).toContain(sentence);
    const fields = Object.fromEntries(formOf(page.text).fields);
    expect(fields).toMatchObject({ organization: "octo", name: "Ours" });
    if (address.length < 200) expect(fields.address).toBe(address);
  });

  it("refuses a name or an owner that GitHub would not take", async () => {
    const server = await serve();
    const browser = openBrowser();
    const form = await enter(server, browser);
    for (const fields of [
      { name: "" },
      { name: "x".repeat(35) },
      { organization: "two words" },
      { organization: "-a" },
    ])
      expect((await send(browser, form, { address: ADDRESS, ...fields })).status).toBe(400);
    expect((await send(browser, form, { address: `${ADDRESS}${"/".repeat(5_000)}` })).status).toBe(413);
  });

  it("offers a channel of smee.io for an address that GitHub does not reach, and registers that", async () => {
    const server = await serve();
    const browser = openBrowser();
    const address = "http://localhost:3000";
    const asked = await wish(server, browser, { address });
    expect(asked.text).toContain('name="smee"');
    const review = await send(browser, asked, { smee: "yes" });
    expect(review.status).toBe(200);
    expect(manifestIn(review)).toMatchObject({ url: address, hook_attributes: { url: CHANNEL } });
    const back = await approved(browser, review);
    expect((await browser.get(back.href)).status).toBe(200);
    expect(kept()).toMatchObject({ PUBLIC_URL: address, WEBHOOK_PROXY_URL: CHANNEL });
  });

  it("says so when smee.io gives no channel", async () => {
    const none = [() => Promise.reject(new Error("away")), async () => "/new", async () => "javascript:alert(1)"];
    for (const newChannel of none) {
      const server = await serve({ newChannel });
      const page = await wish(server, openBrowser(), { address: "http://localhost:3000", smee: "yes" });
      expect(page.status).toBe(502);
      expect(wordsOf(page.text)).toContain("smee.io gave no channel");
    }
  });

  it("needs no smee where the settings name a channel, or where GitHub is one's own", async () => {
    const channelled = await wish(await serve({ webhook_proxy_url: CHANNEL }), openBrowser(), {
      address: "http://localhost:3000",
    });
    expect(manifestIn(channelled).hook_attributes.url).toBe(CHANNEL);
    const own = await wish(await serve({ enterprise: true }), openBrowser(), { address: "https://10.0.0.1" });
    expect(manifestIn(own).hook_attributes.url).toBe("https://10.0.0.1/api/github/webhooks");
  });
});

describe("the App", () => {
  it("is made for the owner with these addresses, kept, and leads on to its installation", async () => {
    const server = await serve();
    const browser = openBrowser();
    const review = await wish(server, browser, { organization: "octo", name: "Our Journeyman" });
    expect(formOf(review.text).action).toMatch(
      new RegExp(`^${github.url}/organizations/octo/settings/apps/new\\?state=[\\w-]{43}$`),
    );
    const template = readManifestTemplate(textOf("app.yml"));
    expect(manifestIn(review)).toEqual({
      ...{ name: "Our Journeyman", url: ADDRESS, public: false, setup_url: `${ADDRESS}/installed` },
      hook_attributes: { url: `${ADDRESS}/api/github/webhooks`, active: true },
      redirect_url: `${server.url}/setup/callback`,
      callback_urls: [`${ADDRESS}/keys/callback`],
      ...{ default_permissions: template.default_permissions, default_events: template.default_events },
    });
    const back = await approved(browser, review);
    const end = await browser.get(back.href);
    expect(end.status).toBe(200);
    expect(end.text).toContain(`href="${github.url}/apps/our-journeyman/installations/new"`);
    expect(server.made()).toBe(true);

    const { PRIVATE_KEY = "", WEBHOOK_SECRET = "", GITHUB_CLIENT_SECRET = "", ...rest } = kept();
    expect(PRIVATE_KEY).toMatch(/^-----BEGIN RSA PRIVATE KEY-----/);
    expect(rest).toEqual({
      ...{ APP_ID: String(github.appId), GITHUB_CLIENT_ID: github.clientId, PUBLIC_URL: ADDRESS, DATA_DIR: dir },
    });
    const file = join(dir, "app.json");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    for (const secret of [PRIVATE_KEY.split("\n")[1] ?? "", WEBHOOK_SECRET, GITHUB_CLIENT_SECRET]) {
      expect(secret.length).toBeGreaterThan(20);
      for (const place of [readFileSync(file, "utf8"), lines.join(""), end.text]) expect(place).not.toContain(secret);
    }
    expect(lines.join("")).not.toContain(back.searchParams.get("code"));
  });

  it("comes back to where the browser is, also through a proxy", async () => {
    const server = await serve();
    const headers = { origin: "https://tunnel.example.com", "sec-fetch-site": "same-origin" };
    const review = await wish(server, openBrowser(headers), {});
    expect(manifestIn(review).redirect_url).toBe("https://tunnel.example.com/setup/callback");
  });

  it("survives a restart in the middle: the way back needs no token of the new start", async () => {
    const browser = openBrowser();
    const back = await approved(browser, await wish(await serve(), browser));
    const again = await serve();
    const host = new URL(again.url).host;
    // the same address as before, as far as the browser is concerned
    for (const [key, value] of [...browser.jar]) browser.jar.set(`${host} ${key.split(" ")[1]}`, value);
    const end = await browser.get(`${again.url}${back.pathname}${back.search}`);
    expect(end.status).toBe(200);
    expect(again.made()).toBe(true);
    expect(kept().APP_ID).toBe(String(github.appId));
  });

  it("is not taken with another state, in another browser, or without a code", async () => {
    const server = await serve();
    const browser = openBrowser();
    const back = await approved(browser, await wish(server, browser));
    const code = back.searchParams.get("code") ?? "";
    const state = back.searchParams.get("state") ?? "";
    const asked = async (one: Browser, query: Fields) =>
      (await one.get(`${server.url}/setup/callback?${new URLSearchParams(query)}`)).status;
    expect(await asked(openBrowser(), { code, state })).toBe(400);
    expect(await asked(browser, { code, state: `${state.slice(1)}x` })).toBe(400);
    expect(await asked(browser, { code, state: "é".repeat(state.length) })).toBe(400);
    expect(await asked(browser, { code })).toBe(400);
    expect(await asked(browser, { state })).toBe(400);
    expect(await asked(browser, { code: "../../user", state })).toBe(400);
    expect(server.made()).toBe(false);
    // none of that has spent the code
    expect(await asked(browser, { code, state })).toBe(200);
  });

  it("is not there any more after an hour, or when its code was used, which is said", async () => {
    const server = await serve();
    const browser = openBrowser();
    const late = await approved(browser, await wish(server, browser));
    clock.pass(SET_UP_LIFE_MS - 1_000);
    await fetch(`${github.apiUrl}/app-manifests/${late.searchParams.get("code")}/conversions`, { method: "POST" });
    const answer = await browser.get(late.href);
    expect([answer.status, wordsOf(answer.text)]).toEqual([400, expect.stringContaining("within an hour")]);
    expect(answer.text).toContain('href="/setup"');
    expect([server.made(), kept().APP_ID]).toEqual([false, undefined]);
  });

  it("is fetched later when GitHub cannot be asked: the code and the cookie are still good", async () => {
    const server = await serve();
    const browser = openBrowser();
    const back = await approved(browser, await wish(server, browser));
    github.faults.add({ match: { path: /conversions/ }, status: 502 });
    const away = await browser.get(back.href);
    expect([away.status, wordsOf(away.text)]).toEqual([502, expect.stringContaining("load this page again")]);
    expect((await browser.get(back.href)).status).toBe(200);
    expect(kept().APP_ID).toBe(String(github.appId));
  });

  it("is kept later when the data folder cannot be written to: nothing that GitHub has handed over is lost", async () => {
    const server = await serve();
    const browser = openBrowser();
    const back = await approved(browser, await wish(server, browser));
    // a folder in the file's place: also root cannot write there
    mkdirSync(join(dir, "app.json"));
    const end = await browser.get(back.href);
    expect([end.status, wordsOf(end.text)]).toEqual([500, expect.stringContaining("Do not stop the server")]);
    expect(server.made()).toBe(false);
    rmSync(join(dir, "app.json"), { recursive: true });
    const kept_now = await send(browser, end);
    expect(kept_now.status).toBe(200);
    expect(kept_now.text).toContain("/installations/new");
    expect([server.made(), kept().APP_ID]).toEqual([true, String(github.appId)]);
  });
});

describe("the kept App", () => {
  const app = {
    ...{ app_id: 7, client_id: "Iv1", public_url: ADDRESS, webhook_proxy_url: null },
    ...{ private_key: new Secret("the pem"), webhook_secret: new Secret("signs"), client_secret: new Secret("client") },
  };
  const keep = () => keepApp(dir, createSealedBox({ encryption_key: null, data_dir: dir }), app);

  it("counts for nothing where the settings name an App, and goes behind what they do name", () => {
    keep();
    expect(withKeptApp({ DATA_DIR: dir, APP_ID: "8" }, dir)).toEqual({ DATA_DIR: dir, APP_ID: "8" });
    const given = { DATA_DIR: dir, PUBLIC_URL: "https://other.example.com", WEBHOOK_SECRET: "rotated" };
    expect(withKeptApp(given, dir)).toMatchObject({ ...given, APP_ID: "7", PRIVATE_KEY: "the pem" });
    const { PRIVATE_KEY, GITHUB_CLIENT_ID } = withKeptApp(
      { DATA_DIR: dir, PRIVATE_KEY_PATH: "own.pem", GITHUB_CLIENT_SECRET: "own" },
      dir,
    );
    expect([PRIVATE_KEY, GITHUB_CLIENT_ID]).toEqual([undefined, undefined]);
  });

  it("is never replaced by another", () => {
    keep();
    const before = readFileSync(join(dir, "app.json"), "utf8");
    expect(keep).toThrow(/EEXIST/);
    expect(readFileSync(join(dir, "app.json"), "utf8")).toBe(before);
  });

  it("is refused in a sentence when it is damaged or was sealed with another key", () => {
    keep();
    const ENCRYPTION_KEY = "0".repeat(64);
    expect(() => withKeptApp({ DATA_DIR: dir, ENCRYPTION_KEY }, dir)).toThrow(/set ENCRYPTION_KEY as it was/);
    const file = JSON.parse(readFileSync(join(dir, "app.json"), "utf8"));
    writeFileSync(join(dir, "app.json"), JSON.stringify({ ...file, private_key: file.webhook_secret }));
    expect(() => withKeptApp({ DATA_DIR: dir }, dir)).toThrow(/sealed for app private_key is damaged/);
    writeFileSync(join(dir, "app.json"), "{");
    expect(() => withKeptApp({ DATA_DIR: dir }, dir)).toThrow(/app\.json is damaged\. Restore it/);
  });
});

/** As a browser at another host would; `fetch` sets that header itself. */
async function askAs(url: string, host: string, cookie: string): Promise<string> {
  const { request } = await import("node:http");
  return new Promise((resolve, reject) => {
    const asked = request(`${url}/setup`, { headers: { host, cookie } }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      answer.on("end", () => resolve(text));
    });
    asked.on("error", reject).end();
  });
}
