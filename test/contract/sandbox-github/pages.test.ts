import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pushBranch, REPO, type World, world } from "./kit.ts";

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

interface Sent {
  readonly status: number;
  readonly location: string;
  readonly text: string;
}

/** Sends a form as a browser does, as that person. */
async function send(
  path: string,
  fields: Readonly<Record<string, string>>,
  by = "writer",
  origin = w.github.url,
): Promise<Sent> {
  const answer = await fetch(`${w.github.url}/${path}`, {
    method: "POST",
    redirect: "manual",
    headers: { origin, cookie: `acting-as=${by}` },
    body: new URLSearchParams(fields),
  });
  return { status: answer.status, location: answer.headers.get("location") ?? "", text: await answer.text() };
}

const shown = async (path: string): Promise<{ status: number; text: string; headers: Headers }> => {
  const answer = await fetch(`${w.github.url}${path}`);
  return { status: answer.status, text: await answer.text(), headers: answer.headers };
};

/** What the App was told since it was asked last, in its order. */
async function told(): Promise<string[]> {
  await w.github.idle();
  const names = w.app.names();
  w.app.received.length = 0;
  return names;
}

const issue = (): number => w.github.openIssue(REPO, { title: "an issue", body: "text", by: "octo" });

let branches = 0;
async function pull(): Promise<number> {
  branches += 1;
  const head = `change-${branches}`;
  await pushBranch(w.call, w.github, head, { [`${head}.txt`]: "new" });
  const number = w.github.openPullRequest(REPO, { title: "a change", head, by: "octo" });
  await w.github.idle();
  return number;
}

async function appCheck(): Promise<number> {
  const sha = await pushBranch(w.call, w.github, `checked-${++branches}`, { "checked.txt": String(branches) });
  await w.call(`POST /repos/${REPO}/check-runs`, {
    ...{ name: "journeyman", head_sha: sha, conclusion: "failure" },
    output: { title: "It failed", summary: "**Why** it failed" },
    actions: [{ label: "Retry", description: "Try again", identifier: "retry" }],
  });
  return Number(w.github.checkRuns(REPO, sha)[0]?.id);
}

describe("the forms of the web pages", () => {
  /** What is there before, the form with its path, and what the App is told of it. */
  const FORMS: readonly (readonly [
    what: string,
    before: () => number | Promise<number>,
    path: string,
    fields: Record<string, string>,
    events: string[],
  ])[] = [
    [
      "open an issue",
      () => 0,
      "issues",
      { title: "new", body: "text", label: "job" },
      ["issues.opened", "issues.labeled"],
    ],
    ["comment", issue, "issues/N/comments", { body: "/job hello\r\nthere" }, ["issue_comment.created"]],
    ["comment on a pull request", pull, "issues/N/comments", { body: "/job more" }, ["issue_comment.created"]],
    ["label an issue", issue, "issues/N/labels", { name: "job" }, ["issues.labeled"]],
    ["close an issue", issue, "issues/N/state", { state: "closed" }, ["issues.closed"]],
    ["close a pull request", pull, "issues/N/state", { state: "closed" }, ["pull_request.closed"]],
    ["approve", pull, "pull/N/reviews", { event: "APPROVE", body: "" }, ["pull_request_review.submitted"]],
    [
      "ask for changes",
      pull,
      "pull/N/reviews",
      { event: "REQUEST_CHANGES", body: "why?" },
      ["pull_request_review.submitted"],
    ],
    ["merge", pull, "pull/N/merge", { method: "squash" }, ["push", "check_suite.requested", "pull_request.closed"]],
    ["press an App's button", appCheck, "runs/N/action", { identifier: "retry" }, ["check_run.requested_action"]],
    ["run an App's check again", appCheck, "runs/N/rerequest", {}, ["check_run.rerequested"]],
  ];

  it.each(FORMS)("%s, and the App receives it once", async (_, before, path, fields, events) => {
    const number = await before();
    await told();
    const sent = await send(`${REPO}/${path.replace("N", String(number))}`, fields);
    expect([sent.status, sent.text]).toEqual([303, ""]);
    expect(await told()).toEqual(events);
    expect((await shown(sent.location)).status).toBe(200);
  });

  it("take labels away, and the ends of a browser's lines", async () => {
    const number = issue();
    await send(`${REPO}/issues/${number}/labels`, { name: "two words" });
    await send(`${REPO}/issues/${number}/labels/remove`, { name: "two words" });
    await send(`${REPO}/issues/${number}/comments`, { body: "one\r\ntwo" });
    expect(w.github.issue(REPO, number).labels).toEqual([]);
    expect(w.github.comments(REPO, number)).toMatchObject([{ user: "writer", body: "one\ntwo" }]);
    await told();
  });

  it("refuse in words what REST refuses, and change nothing", async () => {
    const [one, change, check] = [issue(), await pull(), await appCheck()];
    await told();
    const refused = async (path: string, fields: Record<string, string>, by = "stranger") => {
      const { status, text } = await send(`${REPO}/${path}`, fields, by);
      return [status, /<p class="bad">(.*?)<\/p>/.exec(text)?.[1]];
    };
    expect(await refused(`pull/${change}/merge`, { method: "merge" })).toEqual([
      403,
      "Must have push access to repository",
    ]);
    expect(await refused(`issues/${one}/labels`, { name: "job" })).toEqual([404, "Not Found"]);
    expect(await refused(`issues/${one}/state`, { state: "closed" })).toEqual([
      403,
      "Must have admin rights to Repository.",
    ]);
    expect(await refused(`runs/${check}/action`, { identifier: "retry" })).toEqual([
      403,
      "Must have push access to repository",
    ]);
    expect(await refused(`runs/${check}/action`, { identifier: "other" }, "writer")).toEqual([
      422,
      "This check run does not show that button any more.",
    ]);
    expect(await refused(`issues/${one}/comments`, { body: " " })).toEqual([422, "Validation Failed"]);
    expect(await refused(`pull/${change}/reviews`, { event: "APPROVE" }, "octo")).toEqual([
      422,
      "Unprocessable Entity",
    ]);
    expect(await refused(`pull/${change}/reviews`, { event: "REQUEST_CHANGES", body: "" }, "writer")).toEqual([
      422,
      "Say in the review what should change.",
    ]);
    expect(await refused("issues/999/comments", { body: "x" })).toEqual([404, "Not Found"]);
    expect((await send(`${REPO}/nothing`, {})).status).toBe(404);
    expect(await told()).toEqual([]);
  });

  it("are closed to pages of other sites", async () => {
    const number = issue();
    await told();
    expect(
      (await send(`${REPO}/issues/${number}/comments`, { body: "x" }, "writer", "http://evil.example")).status,
    ).toBe(403);
    expect(await told()).toEqual([]);
  });

  it("are taken from this machine by whatever name it has, on the same port alone", async () => {
    const number = issue();
    const path = `${REPO}/issues/${number}/comments`;
    const { port } = new URL(w.github.url);
    for (const host of ["localhost", "[::1]"])
      expect((await send(path, { body: "x" }, "writer", `http://${host}:${port}`)).status).toBe(303);
    for (const origin of ["http://localhost:1", `http://localhost.evil.example:${port}`, `https://localhost:${port}`])
      expect((await send(path, { body: "x" }, "writer", origin)).status).toBe(403);
    expect((await send(path, { body: "x" }, "writer", "null")).status).toBe(403);
  });

  it("are refused in words, whatever address one says to come from", async () => {
    const headers = { origin: "http://evil.example", referer: "http://[" };
    const answer = await fetch(`${w.github.url}/${REPO}/issues`, { method: "POST", headers, body: "title=x" });
    expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining("Foreign origin.")]);
  });

  it("change who one is, for people who are there, and lead nowhere else", async () => {
    const answer = await send("-/act-as", { login: "stranger", back: `/${REPO}/issues` });
    expect([answer.status, answer.location]).toEqual([303, `/${REPO}/issues`]);
    expect((await send("-/act-as", { login: "stranger", back: "//evil.example/" })).location).toBe("/");
    for (const back of ["/\t/evil.example/", "/\\evil.example/", "/.//evil.example/", "http://evil.example//x"])
      expect((await send("-/act-as", { login: "stranger", back })).location).toBe("/");
    const lines = await send("-/act-as", { login: "stranger", back: "/a\r\nset-cookie: b=c" });
    expect([lines.status, lines.location]).toEqual([303, "/aset-cookie:%20b=c"]);
    expect((await send("-/act-as", { login: "nobody", back: "/" })).status).toBe(422);
    expect((await send("-/act-as", { login: "journeyman[bot]", back: "/" })).status).toBe(422);
  });
});

describe("the web pages", () => {
  it("are there for all that has an address", async () => {
    const [one, change, check] = [issue(), await pull(), await appCheck()];
    const paths = ["", "/issues", "/issues?state=closed", "/issues/new", `/issues/${one}`, "/pulls", `/pull/${change}`];
    const more = [`/pull/${change}/files`, "/actions", `/runs/${check}`, "/tree/main", "/blob/main/src/a.txt"];
    for (const path of [
      "/",
      ...[...paths, ...more, `/commit/${w.github.branches(REPO).main}`].map((one) => `/${REPO}${one}`),
    ])
      expect([path, (await shown(path)).status]).toEqual([path, 200]);
    for (const path of ["/-/style.css", "/-/live.js"]) expect((await shown(path)).status).toBe(200);
    expect((await shown(`/${REPO}/none`)).status).toBe(404);
    expect((await fetch(`${w.github.url}/${REPO}/issues/${change}`)).url).toContain(`/pull/${change}`);
  });

  it("lead to files and branches of any name", async () => {
    const names = ["what?.txt", "a#b.txt", "100%.txt", "50%25.txt", "a b & c+d.txt", "é.txt"];
    await pushBranch(
      w.call,
      w.github,
      "odd#1/50%",
      Object.fromEntries(names.map((name) => [`odd?/${name}`, `This is ${name}.`])),
    );
    const linked = async (path: string, name: string): Promise<string> => {
      const links = [...(await shown(path)).text.matchAll(/<a (?:class="branch" )?href="([^"]+)">([^<]+)<\/a>/g)];
      const found = links.find(([, , text]) => text?.replaceAll("&amp;", "&") === name)?.[1];
      if (found === undefined) throw new Error(`no link to ${name} on ${path}`);
      return found.replaceAll("&amp;", "&");
    };
    const branch = await linked(`/${REPO}`, "odd#1/50%");
    const folder = await linked(branch, "odd?/");
    for (const name of names) {
      const file = await shown(await linked(folder, name));
      expect([file.status, name]).toEqual([200, name]);
      expect(file.text.replaceAll("&amp;", "&")).toContain(`This is ${name}.`);
    }
  });

  it("show what anybody wrote as text, and run no script but their own", async () => {
    const hostile = `<script>alert(1)</script>"'&`;
    const number = w.github.openIssue(REPO, { title: hostile, body: hostile, by: "octo", labels: [hostile] });
    for (const path of [`/${REPO}/issues/${number}`, `/${REPO}/issues`]) {
      const { text, headers } = await shown(path);
      expect(text).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
      expect(text.match(/<script[^>]*>/g)).toEqual(['<script src="/-/live.js" defer>']);
      expect(headers.get("content-security-policy")).toContain(
        "default-src 'none'; style-src 'self'; script-src 'self'",
      );
    }
  });

  it("show the buttons of an App's check when it is complete", async () => {
    const { text } = await shown(`/${REPO}/runs/${await appCheck()}`);
    for (const part of ["It failed", "<strong>Why</strong> it failed", ">Retry</button>"]) expect(text).toContain(part);
  });
});
