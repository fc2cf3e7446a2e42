/** What the doctor of the server says of each answer that GitHub may give about the App, and of the disk. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { ProbotOctokit } from "probot";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { APP_EVENTS, APP_PERMISSIONS } from "../../src/contracts/app-permissions.ts";
import { examineServer } from "../../src/main/server-doctor.ts";
import { dataFolder } from "../data-folder.ts";

const SETTINGS = "https://github.com/organizations/octo/settings/apps/journeyman";
const APP = {
  ...{ id: 1, slug: "journeyman", html_url: "https://github.com/apps/journeyman" },
  owner: { login: "octo", type: "Organization" },
  ...{ permissions: APP_PERMISSIONS, events: APP_EVENTS },
};
const SKEW_MS = 90_000;

let server: Server;
let url: string;
let answers: Record<string, unknown>;
beforeAll(async () => {
  server = createServer((request, response) => {
    const answer = answers[new URL(request.url ?? "", url).pathname];
    response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(answer ?? {}));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());
beforeEach(() => {
  answers = {
    "/app": APP,
    "/app/hook/config": { url: `${url}/api/github/webhooks` },
    "/app/hook/deliveries": [{ event: "push", status_code: 200 }],
    "/ping": "pong",
  };
});

const examine = (ahead_ms = 0) =>
  examineServer({
    octokit: new ProbotOctokit({ baseUrl: url, retry: { enabled: false }, throttle: { enabled: false } }),
    ...{ app_id: 1, public_url: url, webhook_proxy_url: null, webhook_path: "/api/github/webhooks" },
    ...{ data_dir: dataFolder("server-doctor-"), now: () => Date.now() + ahead_ms },
  });

it("finds nothing where all is well", async () => expect(await examine()).toEqual([]));

it.each<[string, () => Record<string, unknown>, RegExp, string | null]>([
  [
    "permissions_missing",
    () => ({ "/app": { ...APP, permissions: { ...APP_PERMISSIONS, contents: "read" } } }),
    /does not ask for: contents: write\.$/,
    SETTINGS,
  ],
  [
    "events_missing",
    () => ({ "/app": { ...APP, events: APP_EVENTS.slice(1) } }),
    /subscribe to: check_run\.$/,
    SETTINGS,
  ],
  ["webhook_missing", () => ({ "/app/hook/config": {} }), /no webhook address/, SETTINGS],
  [
    "webhook_elsewhere",
    () => ({ "/app/hook/config": { url: "https://else.example/hook" } }),
    /sends webhooks to https:\/\/else\.example\/hook/,
    SETTINGS,
  ],
  [
    "webhook_unreached",
    () => ({ "/app/hook/deliveries": [{ event: "push", status_code: 401 }] }),
    /newest webhook \(push\) was answered 401\.$/,
    SETTINGS,
  ],
  [
    "webhook_unreached",
    () => ({ "/app/hook/deliveries": [{ event: "push", status_code: 0 }] }),
    /newest webhook \(push\) could not be sent\.$/,
    SETTINGS,
  ],
  ["public_url_wrong", () => ({ "/ping": undefined }), /\/ping answers 404\.$/, "/ping"],
])("tells %s alone, with a fix and a link", async (code, wrong, problem, link) => {
  answers = { ...answers, ...wrong() };
  const found = await examine();
  expect(found).toMatchObject([
    { code, level: "problem", certainty: "certain", problem: expect.stringMatching(problem) },
  ]);
  expect(found[0]?.fix).toMatch(/^\p{Lu}.*\.$/u);
  expect(found[0]?.url).toBe(link === "/ping" ? `${url}/ping` : link);
});

it("links to the App's page of a person's account, and to none where nobody is named", async () => {
  const link = async (owner: unknown) => {
    answers = { ...answers, "/app": { ...APP, owner, events: [] } };
    return (await examine())[0]?.url;
  };
  expect(await link({ login: "ada", type: "User" })).toBe("https://github.com/settings/apps/journeyman");
  expect(await link({ slug: "an-enterprise" })).toBeNull();
  expect(await link(null)).toBeNull();
});

it.each([
  [SKEW_MS, "ahead of"],
  [-SKEW_MS, "behind"],
])("tells of a clock that is %i ms off", async (ahead_ms, side) => {
  const [found, ...more] = await examine(ahead_ms);
  expect(found).toMatchObject({ code: "clock_wrong", fix: "Set the machine's clock, best by NTP." });
  expect(found?.problem).toMatch(new RegExp(`^The clock is (8[89]|9[01]) seconds ${side} GitHub's\\.$`));
  expect(more).toEqual([]);
});
