/** The page after an installation: what it names, to whom, and for how long it looks for more. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { newRepository, type RepositoryState, type SetUpFacts } from "../../src/domain/repository/repository.ts";
import { startServer, type TestServer } from "./http-server.ts";
import { readyFacts } from "./scripted-github.ts";

const INSTALLATION = 77;
const RELOADS = 'http-equiv="refresh"';

let server: TestServer;
let next_id = 1;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

interface Wishes {
  readonly installation_id?: number;
  readonly phase?: RepositoryState["set_up"]["phase"];
  readonly facts?: Partial<SetUpFacts>;
  readonly shown_at?: number;
}

async function keep(name: string, wishes: Wishes = {}): Promise<void> {
  const { installation_id = INSTALLATION, phase = "offered", facts = {}, shown_at = Date.now() } = wishes;
  const id = next_id++;
  const blank = newRepository({ id, owner: "octo", name, installation_id });
  const read = { ...readyFacts(`https://github.com/octo/${name}`), ...facts };
  const set_up = { ...blank.set_up, phase, pull_request: 3, facts: read, shown_at };
  const state = { ...blank, set_up };
  await server.store.repositories.commit({ id, state, expected_version: 0, effects: [], done: null });
}

const look = async (query: string): Promise<string> => {
  const { status, body } = await server.ask("GET", `/installed${query}`, { key: null });
  expect(status).toBe(200);
  return String(body);
};

const goesOn = async (installation: number): Promise<string | null> => {
  const { headers } = await fetch(`${server.url}/installed?installation_id=${installation}`, { redirect: "manual" });
  return headers.get("location");
};

it("leads on without a stop where there is one pull request alone, and to GitHub's list where all are private", async () => {
  await keep("only", { installation_id: 81 });
  await keep("has-it", { installation_id: 81, phase: "needless" });
  await keep("not-looked-at", { installation_id: 81, phase: "unknown" });
  expect(await goesOn(81)).toBe("https://github.com/octo/only/pull/3");
  await keep("soon", { installation_id: 81, phase: "reading" });
  expect(await goesOn(81)).toBeNull();
  await keep("hidden", { installation_id: 82, facts: { is_private: true } });
  expect(await goesOn(82)).toBe(
    `https://github.com/pulls?q=${encodeURIComponent("is:open is:pr author:app/journeyman head:journeyman-set-up")}`,
  );
  await keep("shown", { installation_id: 82 });
  expect(await goesOn(82)).toBeNull();
});

it("links public repositories whose pull request was opened just now, and none besides", async () => {
  await keep("open-one");
  await keep("private-one", { facts: { is_private: true } });
  await keep("merged-one", { phase: "merged" });
  await keep("old-one", { shown_at: Date.now() - 3_600_001 });
  await keep("elsewhere", { installation_id: 78 });
  const page = await look(`?installation_id=${INSTALLATION}&setup_action=install`);
  expect(page).toContain('<a href="https://github.com/octo/open-one/pull/3">Set up octo/open-one</a>');
  expect(page.match(/octo\//g)).toHaveLength(2);
  expect(page).not.toContain(RELOADS);
});

it("looks again while pull requests are to come, for a minute and no longer", async () => {
  await keep("coming", { installation_id: 79, phase: "offering" });
  for (const id of [79, 80]) {
    expect(await look(`?installation_id=${id}`)).toContain(`url=/installed?installation_id=${id}&amp;look=1`);
    expect(await look(`?installation_id=${id}&look=11`)).toContain("look=12");
    expect(await look(`?installation_id=${id}&look=12`)).not.toContain(RELOADS);
  }
});

it("looks for news for a moment where the App was installed before", async () => {
  await keep("ready", { installation_id: 83, phase: "needless" });
  expect(await look("?installation_id=83")).toContain("look=1");
  expect(await look("?installation_id=83&look=3")).not.toContain(RELOADS);
});

it.each([
  "",
  "?installation_id=",
  "?installation_id=-1",
  "?installation_id=<b>",
  "?installation_id=1e3",
  "?look=1",
  "?%",
])("shows the page without any link where the address names no installation: %s", async (query) => {
  const page = await look(query);
  expect(page).toContain("Journeyman is set up");
  expect(page).not.toContain(RELOADS);
  expect(page).not.toContain("<a ");
});
