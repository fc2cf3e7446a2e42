/** Creates keys by signing in, as a browser does: the App's pages, GitHub's page, and back. */
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { RECHECK_MS } from "../../src/http/middleware/permission-recheck.ts";
import { WRONG_KEYS_PER_MINUTE } from "../../src/http/middleware/wrong-key-throttling.ts";
import { SIGN_IN_LIFE_MS } from "../../src/http/sign-in/sign-in.ts";
import { shellWords } from "../process/read-markdown.ts";
import { DEMO, OWNER, READER, WRITER } from "../sandbox/environment.ts";
import { blocksOf, formOf, openBrowser, type Visit, wordsOf } from "./browser.ts";
import { API_KEY, type Harness, startHarness } from "./harness.ts";
import { atCallback, type Fields, press, requestKey, signIn } from "./sign-in-steps.ts";

const keysOf = async (harness: Harness) => (await harness.app.store.keys.list()).map(({ account }) => account);

const statusWith = (harness: Harness, key: string) => harness.request("/api/jobs/status?job_id=zzzzzzzz", { key });

describe("somebody who may write", () => {
  test("signs in, is shown a key once, and asks for a job with the line on the page", async () => {
    const harness = await startHarness({ actions: false });
    const browser = openBrowser();
    const ended = await signIn(harness, WRITER, undefined, browser);
    const [key = "", curl = ""] = blocksOf(ended.text);
    expect([ended.status, ended.headers.get("cache-control")]).toEqual([200, "no-store"]);
    expect(key).toMatch(/^jm_[\w-]{43}$/);
    expect(ended.text).not.toContain("<script");
    expect(ended.headers.get("content-security-policy")).toContain("default-src 'none'");

    const [stored] = await harness.app.store.keys.list();
    expect(stored).toMatchObject({ account: WRITER, repository: DEMO, scopes: ["read", "write"] });
    expect((stored?.expires_at ?? 0) - (stored?.created_at ?? 0)).toBe(30 * 86_400_000);

    const words = shellWords(curl, {});
    const at = (flag: string) => words[words.indexOf(flag) + 1] ?? "";
    const answer = await fetch(words.find((word) => word.startsWith("http")) ?? "", {
      method: at("-X"),
      headers: { "x-api-key": at("-H").split(": ")[1] ?? "", "content-type": "application/json" },
      body: at("-d"),
    });
    expect(answer.status).toBe(200);
    expect((await harness.app.store.jobs.list({ account: WRITER, limit: 1 })).jobs).toHaveLength(1);
  });

  test("leaves nothing behind: no cookie, no token at GitHub, no secret in the log", async () => {
    const harness = await startHarness({ actions: false });
    const browser = openBrowser();
    const ended = await signIn(harness, WRITER, undefined, browser);
    const [set = "", gone = ""] = browser.set;
    expect(set).toMatch(/^journeyman-sign-in=[\w.-]+; Max-Age=600; Path=\/keys; HttpOnly; SameSite=Lax$/);
    expect(gone).toMatch(/^journeyman-sign-in=; Max-Age=0;/);
    expect(browser.jar.size).toBe(0);
    const calls = harness.github.calls().filter(({ actor }) => actor === "user-to-server" || actor === "client");
    expect(calls.map(({ method, route, status }) => `${method} ${route} ${status}`)).toEqual([
      "GET /user 200",
      "DELETE /applications/:client_id/token 204",
    ]);
    const [key = ""] = blocksOf(ended.text);
    for (const secret of [key, harness.github.clientSecret, "ghu_", "code=", set.split(";")[0] ?? ""])
      expect(harness.logged()).not.toContain(secret);
  });

  test("gets the scopes and the days that were asked for, and never the scope admin", async () => {
    const harness = await startHarness({ actions: false });
    const only = (scopes: string[], days: string) => (): Fields => [
      ["repository", DEMO.toUpperCase()],
      ...scopes.map((scope): [string, string] => ["scopes", scope]),
      ["days", days],
    ];
    expect((await signIn(harness, WRITER, only(["work"], "365"))).status).toBe(200);
    const [stored] = await harness.app.store.keys.list();
    expect(stored?.scopes).toEqual(["work"]);
    for (const [scopes, days] of [
      [["admin"], "30"],
      [["read", "admin"], "30"],
      [[], "30"],
      [["read"], "31"],
      [["read"], "never"],
    ] as const) {
      const refused = await requestKey(harness, openBrowser(), only([...scopes], days));
      expect([refused.status, refused.url.pathname]).toEqual([400, "/keys"]);
    }
    expect(await keysOf(harness)).toHaveLength(1);
  });

  test("and whose login is admin gets no account of that name", async () => {
    const harness = await startHarness({ actions: false });
    for (const login of ["Admin", "ADA"]) harness.github.setCollaborator(DEMO, login, "write");
    const ended = await signIn(harness, "Admin");
    const [key = ""] = blocksOf(ended.text);
    expect(await keysOf(harness)).toEqual(["admin@github"]);
    const issue = harness.ask("/job create HELLO.md that says hello", "Admin");
    const job = await harness.jobOf(issue);
    expect(job).toMatchObject({ account: "admin@github", requester: "Admin" });
    expect((await harness.request(`/api/jobs/status?job_id=${job.id}`, { key })).status).toBe(200);
    const root = await harness.request("/api/create-job", { method: "POST", body: { job: "create A.md that says a" } });
    const { job_id } = z.object({ job_id: z.string() }).parse(await root.json());
    expect((await harness.request(`/api/jobs/status?job_id=${job_id}`, { key })).status).toBe(404);
    expect((await harness.request(`/api/jobs/status?job_id=${job_id}`, { key: API_KEY })).status).toBe(200);
  });
});

describe("a key that somebody has signed in for", () => {
  const create = async (harness: Harness, key: string, n: number) => {
    const body = { job: `create FILE-${n}.md that says hello` };
    return (await harness.request("/api/create-job", { method: "POST", key, body })).status;
  };

  test("commands as long as its holder may, also after it was rotated, and reads and ends by itself after that", async () => {
    const harness = await startHarness({ actions: false });
    const [first = ""] = blocksOf((await signIn(harness, WRITER)).text);
    const rotated = await harness.request("/api/keys/self/rotate", { method: "POST", key: first, body: {} });
    const { key } = z.object({ key: z.string() }).parse(await rotated.json());
    expect(await create(harness, key, 1)).toBe(200);
    harness.github.setCollaborator(DEMO, WRITER, "read");
    expect(await create(harness, key, 2)).toBe(200);
    harness.pass(RECHECK_MS);
    expect(await create(harness, key, 3)).toBe(403);
    expect((await harness.request("/api/keys/self/rotate", { method: "POST", key, body: {} })).status).toBe(403);
    expect((await statusWith(harness, key)).status).toBe(404);
    harness.github.setCollaborator(DEMO, WRITER, "write");
    expect(await create(harness, key, 4)).toBe(200);
    harness.github.setCollaborator(DEMO, WRITER, "read");
    harness.pass(RECHECK_MS);
    expect((await harness.request("/api/keys/self", { method: "DELETE", key })).status).toBe(204);
    expect((await statusWith(harness, key)).status).toBe(401);
  });

  test("does nothing while GitHub cannot be asked", async () => {
    const harness = await startHarness({ actions: false });
    const [key = ""] = blocksOf((await signIn(harness, WRITER)).text);
    harness.github.faults.add({ match: { path: /\/permission$/ }, status: 503 });
    expect(await create(harness, key, 1)).toBe(502);
    expect(await create(harness, key, 2)).toBe(200);
  });
});

describe("no key is created, and a page says why,", () => {
  const refusedBy = async (harness: Harness, visit: Visit, status: number, words: string) => {
    expect([visit.status, wordsOf(visit.text)]).toEqual([status, expect.stringContaining(words)]);
    expect(visit.headers.get("content-type")).toContain("text/html");
    expect(await keysOf(harness)).toEqual([]);
  };

  test("for somebody who may only read, for a stranger's repository, and where the App is not installed", async () => {
    const harness = await startHarness({ actions: false });
    await refusedBy(harness, await signIn(harness, READER), 403, `You may not command in ${DEMO}`);
    harness.github.createRepository({ owner: OWNER, name: "bare" });
    harness.github.setCollaborator(`${OWNER}/bare`, WRITER, "write");
    for (const name of ["bare", "nothing"]) {
      const other = (): Fields => [
        ["repository", `${OWNER}/${name}`],
        ["scopes", "read"],
        ["days", "7"],
      ];
      await refusedBy(harness, await signIn(harness, WRITER, other), 403, "or Journeyman is not installed there");
    }
  });

  test("where the repository lets admins alone command", async () => {
    const harness = await startHarness({ actions: false, settings: "commands:\n  allow: admin\n" });
    await refusedBy(harness, await signIn(harness, WRITER), 403, "You may not command");
    expect((await signIn(harness, OWNER)).status).toBe(200);
  });

  test("when the person presses Cancel", async () => {
    const harness = await startHarness({ actions: false });
    const browser = openBrowser();
    const ended = await press(await requestKey(harness, browser), browser, ["cancel", "1"]);
    await refusedBy(harness, ended, 403, "You did not let GitHub tell us who you are");
    expect(browser.jar.size).toBe(0);
  });

  test("for a forged state, a state without its cookie, and one that is ten minutes old", async () => {
    const harness = await startHarness({ actions: false });
    const words = "begun elsewhere, or more than ten minutes ago";
    const begin = async () => {
      const browser = openBrowser();
      const back = await press(await requestKey(harness, browser), browser, ["login", WRITER], atCallback);
      return { browser, url: back.url };
    };
    const forged = await begin();
    forged.url.searchParams.set("state", "another");
    await refusedBy(harness, await forged.browser.get(forged.url.href), 400, words);

    const [mine, other] = [await begin(), await begin()];
    await refusedBy(harness, await mine.browser.get(other.url.href), 400, words);
    await refusedBy(harness, await openBrowser().get(other.url.href), 400, words);

    const doubled = await begin();
    doubled.url.searchParams.append("code", "another");
    await refusedBy(harness, await doubled.browser.get(doubled.url.href), 400, words);

    const late = await begin();
    harness.pass(SIGN_IN_LIFE_MS);
    await refusedBy(harness, await late.browser.get(late.url.href), 400, words);
  });

  test("for a cookie that was tampered with; a restart of the server ends none", async () => {
    const harness = await startHarness({ actions: false });
    const browser = openBrowser();
    const back = await press(await requestKey(harness, browser), browser, ["login", WRITER], atCallback);
    const [[name = "", cookie] = []] = [...browser.jar];
    if (cookie === undefined) throw new Error("there is no cookie");
    const put = (value: string) => browser.jar.set(name, { ...cookie, value });
    const [first = "", ...rest] = cookie.value;
    for (const value of [`${first === "A" ? "B" : "A"}${rest.join("")}`, cookie.value.slice(0, 30), "", "%"]) {
      put(value);
      await refusedBy(harness, await browser.get(back.url.href), 400, "begun elsewhere");
    }
    put(cookie.value);
    await harness.restart();
    const again = new URL(`${back.url.pathname}${back.url.search}`, harness.app.url);
    const moved = openBrowser({ cookie: `journeyman-sign-in=${cookie.value}` });
    // the server listens on another port now, which GitHub minds; it would not have been asked for a cookie of nobody's
    await refusedBy(harness, await moved.get(again.href), 500, "the callback URL");
  });

  test("for a code that was used, and for one of another sign-in, whose verifier is another", async () => {
    const harness = await startHarness({ actions: false });
    const browser = openBrowser();
    const back = await press(await requestKey(harness, browser), browser, ["login", WRITER], atCallback);
    const kept = new Map(browser.jar);
    const other = openBrowser();
    const foreign = await press(await requestKey(harness, other), other, ["login", WRITER], atCallback);
    const mixed = new URL(back.url);
    mixed.searchParams.set("code", foreign.url.searchParams.get("code") ?? "");
    await refusedBy(harness, await browser.get(mixed.href), 400, "GitHub does not accept this sign-in");

    for (const [name, cookie] of kept) browser.jar.set(name, cookie);
    expect((await browser.get(back.url.href)).status).toBe(200);
    const [only] = await harness.app.store.keys.list();
    await harness.app.store.keys.remove(only?.id ?? "");
    for (const [name, cookie] of kept) browser.jar.set(name, cookie);
    await refusedBy(harness, await browser.get(back.url.href), 400, "GitHub does not accept this sign-in");
  });

  test("while GitHub is down, at the exchange, at the question who it is, and at the one whether they may", async () => {
    const harness = await startHarness({ actions: false });
    for (const path of [/access_token$/, /^\/user$/, /\/installation$/, /\/permission$/]) {
      harness.github.faults.add({ match: { path }, status: 503 });
      await refusedBy(harness, await signIn(harness, WRITER), 502, "GitHub could not be asked");
      expect(harness.github.faults.spent).toBe(true);
    }
    harness.github.faults.add({ match: { path: /access_token$/ }, status: 200, drop: true });
    await refusedBy(harness, await signIn(harness, WRITER), 502, "GitHub could not be asked");
    expect((await signIn(harness, WRITER)).status).toBe(200);
  });

  test("when the server's own settings are not the App's", async () => {
    const wrong = { GITHUB_CLIENT_SECRET: "0".repeat(40) };
    const harness = await startHarness({ actions: false }, wrong);
    await refusedBy(harness, await signIn(harness, WRITER), 500, "GITHUB_CLIENT_SECRET");
    harness.github.setCallbacks(["http://127.0.0.1:1/elsewhere"]);
    const browser = openBrowser();
    const sent = await browser.post(
      `${harness.app.url}/keys`,
      formOf((await browser.get(`${harness.app.url}/keys?repository=${DEMO}`)).text).fields,
      (next) => next.port === "1",
    );
    expect(sent.url.searchParams.get("error")).toBe("redirect_uri_mismatch");
    const back = new URL(`${harness.app.url}/keys/callback${sent.url.search}`);
    await refusedBy(harness, await browser.get(back.href), 500, "callback URL");
  });
});

describe("the pages", () => {
  test("take no form from another site", async () => {
    const harness = await startHarness({ actions: false });
    for (const headers of [
      { origin: "https://evil.example" },
      { origin: "null" },
      { "sec-fetch-site": "cross-site" },
    ]) {
      const visit = await openBrowser(headers).post(`${harness.app.url}/keys`, [
        ["repository", DEMO],
        ["scopes", "read"],
        ["days", "7"],
      ]);
      expect([visit.status, visit.headers.getSetCookie()]).toEqual([403, []]);
    }
    const own = openBrowser({ origin: harness.app.url, "sec-fetch-site": "same-origin" });
    const sent = await own.post(
      `${harness.app.url}/keys`,
      [
        ["repository", DEMO],
        ["scopes", "read"],
        ["days", "7"],
      ],
      () => true,
    );
    expect([sent.status, sent.url.pathname]).toEqual([303, "/login/oauth/authorize"]);
    expect(Object.fromEntries(sent.url.searchParams)).toEqual({
      client_id: harness.github.clientId,
      redirect_uri: `${harness.app.url}/keys/callback`,
      state: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: "S256",
    });
  });

  test("escape what they repeat, and refuse what is too large", async () => {
    const harness = await startHarness({ actions: false });
    const evil = '"><script>alert(1)</script>';
    const page = await openBrowser().get(`${harness.app.url}/keys?repository=${encodeURIComponent(evil)}`);
    expect(page.text).not.toContain("<script");
    expect(formOf(page.text).fields).toContainEqual(["repository", evil]);
    expect(page.headers.get("content-security-policy")).toBe(
      `default-src 'none';style-src 'sha256-${page.headers.get("content-security-policy")?.match(/sha256-([^']+)/)?.[1]}';base-uri 'none';frame-ancestors 'none';form-action 'self' ${harness.app.url} ${harness.github.url}`,
    );
    const large = await openBrowser().post(`${harness.app.url}/keys`, [["repository", "x".repeat(10_000)]]);
    expect([large.status, wordsOf(large.text)]).toEqual([413, expect.stringContaining("could not be read")]);
  });

  test("have each checkbox inside its label, since labels are blocks and one beside it would stand below it", async () => {
    const harness = await startHarness({ actions: false });
    const { text } = await openBrowser().get(`${harness.app.url}/keys`);
    expect(text.match(/<label><input type="checkbox"[^>]*> [^<]+<\/label>/g)).toHaveLength(3);
  });

  test("turn an address away that keeps coming back with what we never began", async () => {
    const harness = await startHarness({ actions: false });
    const forged = `${harness.app.url}/keys/callback?code=1&state=2`;
    for (let count = 0; count < WRONG_KEYS_PER_MINUTE; count++)
      expect((await openBrowser().get(forged)).status).toBe(400);
    const away = await openBrowser().get(forged);
    expect([away.status, wordsOf(away.text)]).toEqual([429, expect.stringContaining("wait a minute")]);
    expect(Number(away.headers.get("retry-after"))).toBeGreaterThan(0);
    harness.pass(60_000);
    expect((await openBrowser().get(forged)).status).toBe(400);
  });

  test("say so where nobody can sign in, and the API still works", async () => {
    const harness = await startHarness({ actions: false }, { GITHUB_CLIENT_ID: "", GITHUB_CLIENT_SECRET: "" });
    for (const path of ["/keys", "/keys/callback?code=1&state=2"]) {
      const page = await openBrowser().get(`${harness.app.url}${path}`);
      expect([page.status, wordsOf(page.text)]).toEqual([404, expect.stringContaining("docs/api.md")]);
    }
    expect((await statusWith(harness, API_KEY)).status).toBe(404);
  });
});
