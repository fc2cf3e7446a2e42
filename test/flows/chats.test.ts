/** Jobs told to a channel: of whoever asked, and of what a repository starts by itself. */
import { expect, it } from "vitest";
import * as z from "zod";
import { accountOfRepository } from "../../src/domain/job/account.ts";
import { automationDraft } from "../../src/engine/start-automation.ts";
import { type Receiver, startReceiver } from "../contract/receiver.ts";
import { DEMO, WRITER } from "../sandbox/environment.ts";
import { type Harness, startHarness, until, untilJob } from "./harness.ts";

const messageSchema = z.object({
  text: z.string(),
  blocks: z.array(z.object({ text: z.object({ type: z.string(), text: z.string() }) })),
});
const messages = ({ received }: Receiver, path: string) =>
  received.filter((one) => one.path.endsWith(path)).map(({ body }) => messageSchema.parse(JSON.parse(body)));

/** Has a channel of Slack's told, with a key of this account's that is bound to the repository. */
async function tell(harness: Harness, receiver: Receiver, account: string): Promise<void> {
  const made = await harness.request("/api/keys", {
    method: "POST",
    body: { account, repository: DEMO, scopes: ["read", "write"] },
  });
  const { key } = z.object({ key: z.string() }).parse(await made.json());
  const body = { format: "slack", url: `${receiver.url}/${account}` };
  expect((await harness.request("/api/webhooks", { method: "POST", key, body })).status).toBe(201);
}

it("tells a channel of a job that its account asked for, with links, and obeys nothing that the task says", async () => {
  const harness = await startHarness();
  const receiver = await startReceiver();
  try {
    await tell(harness, receiver, WRITER);
    const issue = harness.ask("/job create HELLO.md that says <!channel> hello");
    const { id } = await harness.jobOf(issue);
    const job = await untilJob(harness, id, "merged", ({ merged_at }) => merged_at !== null);
    const told = () => messages(receiver, WRITER).map(({ text }) => text);
    await until("the news of the merge", () => told().some((text) => text.includes("is merged")));
    expect(told()).toHaveLength(2);
    expect(told()[0]).toContain(`A job in ${DEMO} is done: its work is good.`);
    const [, merged] = messages(receiver, WRITER);
    const links = merged?.blocks.at(-1)?.text;
    expect(links?.type).toBe("mrkdwn");
    expect(links?.text).toContain(`<${job.pull_request?.url}|Pull request #${job.pull_request?.number}>`);
    expect(links?.text).toContain(`${DEMO}/issues/${issue}#issuecomment-`);
    for (const { text, blocks } of messages(receiver, WRITER)) {
      const plain = blocks.slice(0, -1).map((block) => block.text.text);
      expect([text, ...plain].join("\n")).not.toMatch(/[<>]/);
    }
    expect(told()[1]).toContain("&lt;!channel&gt;");
  } finally {
    await receiver.close();
  }
});

it("tells of what a repository starts by itself whoever may command there, as long as they may", async () => {
  const harness = await startHarness();
  const receiver = await startReceiver();
  const { github, app } = harness;
  try {
    // an account is known by its person's number from their first command on
    await harness.jobOf(harness.ask("/job create FIRST.md that says hello"));
    await tell(harness, receiver, WRITER);
    const [owner = "", name = ""] = DEMO.split("/");
    const repository = await app.store.repositories.get(owner, name);
    if (repository === null) throw new Error("the repository is not known");
    const start = async (due_at: number): Promise<void> => {
      const origin = { kind: "schedule", name: "nightly", due_at } as const;
      const task = `create NIGHT${due_at}.md that says hello`;
      const made = await app.engine.create(automationDraft({ repository, origin, task }));
      if (!made.ok) throw new Error("no job was made");
      expect(made.job.account).toBe(accountOfRepository(repository.id));
      await untilJob(harness, made.job.id, "merged", ({ merged_at }) => merged_at !== null);
    };
    const told = (path: string) => messages(receiver, path).filter(({ text }) => text.includes("NIGHT"));
    await start(1);
    await until("the news of it", () => told(WRITER).length === 2);

    github.setCollaborator(DEMO, WRITER, "read");
    harness.pass(300_001);
    await start(2);
    github.setCollaborator(DEMO, WRITER, "write");
    harness.pass(300_001);
    await start(3);
    await until("the news of the third", () => told(WRITER).some(({ text }) => text.includes("NIGHT3")));
    expect(told(WRITER).filter(({ text }) => text.includes("NIGHT2"))).toEqual([]);
  } finally {
    await receiver.close();
  }
});
