/** Set-ups that people without rights, or GitHub's bad moments, try to lead astray. */
import { expect, it } from "vitest";
import { OWNER } from "../sandbox/environment.ts";
import { startHarness, until } from "./harness.ts";

const FRESH = `${OWNER}/fresh`;
const BRANCH = "journeyman-set-up";
const ADA = "ada";
const MINUTE = 61_000;
const FLOOD = 10;

async function begin() {
  const harness = await startHarness({}, { SET_UP_PULL_REQUESTS: "true" });
  const { github } = harness;
  github.createRepository({ owner: OWNER, name: "fresh", files: { "README.md": "# fresh\n" } });
  github.setCollaborator(FRESH, ADA, "write");
  const known = (name = "fresh") => harness.app.store.repositories.get(OWNER, name);
  const becomes = (phase: string, name = "fresh") =>
    until(`${name} to be ${phase}`, async () => {
      harness.pass(MINUTE);
      return (await known(name))?.set_up.phase === phase;
    });
  /** As many pull requests as a stranger likes, from a branch of the same name. */
  const flood = async () => {
    for (let nth = 0; nth < FLOOD; nth++) {
      const files = { [`${nth}.txt`]: "x" };
      const number = github.openForkPullRequest(FRESH, { title: "x", by: "mallory", branch: BRANCH, files });
      github.closePullRequest(FRESH, number, "mallory");
    }
    await harness.sandbox.idle();
  };
  const own = () => github.pulls(FRESH).filter(({ title }) => title === "Set up Journeyman");
  const rest = async (rounds = 20) => {
    for (let round = 0; round < rounds; round++) {
      harness.pass(MINUTE);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  };
  return { harness, github, known, becomes, flood, own, rest };
}

it("hears a no behind any number of pull requests of strangers", async () => {
  const { github, becomes, flood, own } = await begin();
  github.install(FRESH);
  await becomes("offered");
  await flood();
  github.closePullRequest(FRESH, own()[0]?.number ?? 0, ADA);
  await becomes("declined");
});

it.each([true, false])(
  "opens no second one after another installation, and asks no more than it must (no: %s)",
  async (no) => {
    const { harness, github, known, becomes, flood, own, rest } = await begin();
    const installation = github.install(FRESH);
    await becomes("offered");
    if (no) {
      github.closePullRequest(FRESH, own()[0]?.number ?? 0, ADA);
      await becomes("declined");
    }
    await flood();
    github.uninstall(installation);
    await until("the end of the installation", async () => (await known()) === null);
    github.resetCalls();
    github.install(FRESH);
    await rest();
    await becomes(no ? "declined" : "offered");
    expect(own()).toHaveLength(1);
    expect(github.calls().filter(({ path }) => path.endsWith("/pulls") || path === "/graphql").length).toBeLessThan(8);
    await harness.sandbox.idle();
  },
);

it("looks again at a repository that GitHub did not show at the first look", async () => {
  const { github, known, becomes } = await begin();
  github.faults.add({ match: { graphql: /query SetUp/ }, status: 403, times: 100 });
  github.install(FRESH);
  await becomes("impossible");
  expect((await known())?.set_up.retry_at).not.toBeNull();
});

it("offers itself to a repository that is added to an installation of many", async () => {
  const { github, becomes } = await begin();
  const names = Array.from({ length: 20 }, (_, nth) => `${OWNER}/one-${nth}`);
  for (const name of names)
    github.createRepository({ owner: OWNER, name: name.slice(OWNER.length + 1), files: { a: "x" } });
  github.install(names);
  await becomes("offered", "one-0");
  github.install(FRESH);
  await becomes("offered");
});
