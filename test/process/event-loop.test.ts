/**
 * No request and no comment holds the event loop for longer than 50 ms: every entry point that takes foreign input is sent the
 * worst that is known, and more by chance, while the loop of the real server is watched from another thread.
 */
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { connect } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { LARGE_BODY_BYTES } from "../../src/http/routing/limits.ts";
import { until } from "../flows/harness.ts";
import { DEMO, WRITER } from "../sandbox/environment.ts";
import { type Act, STRIPE, type Stand, startStand } from "./event-loop-harness.ts";
import { crowds, filling, PIECES, piece, placesIn, stuffed, withAt } from "./event-loop-inputs.ts";

const MB = 1024 * 1024;

let stand: Stand;
beforeAll(async () => {
  stand = await startStand();
});
afterAll(() => stand.close());

const example = z.looseObject({ action: z.string().optional() });
/** The events that the App handles, and one that it does not, for the largest bodies of other events. */
const EVENTS: ReadonlySet<string> = new Set([
  ...z.object({ default_events: z.array(z.string()) }).parse(parse(readFileSync("app.yml", "utf8"))).default_events,
  ...["installation", "installation_repositories", "ping"],
]);

const definitions = z
  .array(z.object({ name: z.string(), examples: z.array(example) }))
  .parse(createRequire(import.meta.url)("@octokit/webhooks-examples"));

it("is seen that the loop is held, when it is", async () => {
  expect((await stand.seen("/busy")).longest_ms).toBeGreaterThan(stand.most_ms * 3);
  expect((await stand.seen()).longest_ms).toBeLessThan(stand.most_ms);
});

it("is seen that bodies which do not end are held, and no more of them than may be", async () => {
  const before = (await stand.seen()).rss;
  const { hostname, port } = new URL(stand.url);
  const most = Buffer.alloc(24 * MB - 1, "[");
  const head = [
    ...["POST /api/github/webhooks HTTP/1.1", "host: here", "content-type: application/json", "x-github-event: push"],
    ...["x-github-delivery: 1", `x-hub-signature-256: sha256=${"0".repeat(64)}`, `content-length: ${most.length + 1}`],
  ];
  const senders = Array.from({ length: 12 }, () => {
    // whoever gives way may find the connection closed while it still sends
    const socket = connect(Number(port), hostname).on("error", () => {});
    socket.write(`${head.join("\r\n")}\r\n\r\n`);
    const sent = new Promise<void>((resolve) => {
      socket.once("close", resolve);
      socket.write(most, () => resolve());
    });
    return { socket, sent };
  });
  await Promise.all(senders.map(({ sent }) => sent));
  const held = (await stand.seen()).rss - before;
  for (const { socket } of senders) socket.destroy();
  // three of them, and what the process keeps of memory that it has given back: all would be 288 MB
  expect(held / MB).toBeLessThan(230);
});

describe("a delivery", () => {
  const pushed = (commits: number, files: number) => ({
    ...stand.source,
    ...{ ref: "refs/heads/main", after: "a".repeat(40), deleted: false, head_commit: { tree_id: "b".repeat(40) } },
    ...{ sender: { id: 77, login: "zoe", type: "User" } },
    commits: Array.from({ length: commits }, (_, at) => ({
      ...{ id: "c".repeat(40), message: "m".repeat(100), modified: [], removed: [] },
      added: Array.from({ length: files }, (_one, file) => `src/a/folder/with/a/name/file-${at}-${file}`),
    })),
  });

  const repositories = (count: number) =>
    Array.from({ length: count }, (_, id) => ({
      id: id + 10_000,
      full_name: `big/r${id}`,
      name: `r${id}`,
      private: true,
    }));

  it("of any event does not hold it, however large", async () => {
    const acts = definitions.flatMap(({ name, examples }, at) =>
      examples.flatMap((payload, nth) => {
        const text = PIECES[(at + nth) % PIECES.length] ?? "a";
        const [small, large] = [LARGE_BODY_BYTES * 0.95, EVENTS.has(name) ? 23 * MB : LARGE_BODY_BYTES * 1.2];
        const sizes = nth === 0 ? [small, large] : [small];
        return sizes.map((bytes) => ({
          name: `${name}.${payload.action} of ${bytes} bytes of ${JSON.stringify(text)}`,
          act: () => stand.deliver(name, stuffed({ ...payload, ...stand.source }, bytes, text)),
        }));
      }),
    );
    expect(acts.length).toBeGreaterThan(300);
    expect(await stand.tooLong(acts)).toEqual([]);
  });

  it("with thousands of commits, files or repositories does not hold it", async () => {
    const big = [
      ["push", pushed(2_048, 1)],
      ["push", pushed(2_048, 250)],
      ["push", pushed(1, 500_000)],
      ["installation", { ...stand.source, action: "created", repositories: repositories(1_000) }],
      ["installation_repositories", { ...stand.source, action: "added", repositories_added: repositories(500) }],
      ["status", { ...stand.source, state: "success", branches: repositories(100_000) }],
    ] as const;
    expect(
      await stand.tooLong(big.map(([name, payload]) => ({ name, act: () => stand.deliver(name, payload) }))),
    ).toEqual([]);
  });

  it("of any comment at GitHub's limit does not hold it, whoever wrote it", async () => {
    let nth = 0;
    const comment = (body: string, by: string) =>
      stand.deliver("issue_comment", {
        ...{ ...stand.source, action: "created", sender: { id: 77, login: by, type: "User" } },
        issue: { number: 1, title: filling(256, "<!--"), body },
        comment: { id: ++nth, body, user: { id: 77, login: by, type: "User" } },
      });
    const acts = PIECES.flatMap((text) =>
      ["", "/job x\n", "/job "].map((begin) => {
        const body = `${begin}${text.repeat(Math.floor((65_535 - begin.length) / text.length))}x`;
        return { name: JSON.stringify(body.slice(0, 20)), act: () => comment(body, "zoe") };
      }),
    );
    expect(await stand.tooLong(acts)).toEqual([]);

    const some = fc.array(piece, { minLength: 1, maxLength: 4 }).map((all) => all.join(""));
    const samples = fc.sample(fc.tuple(some, some, some), 60).map(([begin, middle, end]) => {
      const body = begin + middle.repeat(Math.floor((65_536 - begin.length - end.length) / middle.length)) + end;
      return { name: JSON.stringify([begin, middle, end]), act: () => comment(body, "zoe") };
    });
    expect(await stand.tooLong(samples)).toEqual([]);

    // of somebody who may ask: it becomes a job, with its brief and its comment
    const asked = ["](<", "&#38;", "@x", "👩‍"].map((text) => ({
      name: `a job of ${text}`,
      act: async () => {
        // on the issue of an open job it would be a message
        const issue = stand.sandbox.github.openIssue(DEMO, { title: "Something", by: WRITER });
        const id = stand.sandbox.github.comment(DEMO, issue, {
          body: `/job ${text.repeat(Math.floor(19_900 / text.length))}`,
          by: WRITER,
        });
        await until("the answer", () =>
          stand.sandbox.github.comments(DEMO, issue).some((one) => one.id > id && one.user.endsWith("[bot]")),
        );
      },
    }));
    expect(await stand.tooLongOnce(asked)).toEqual([]);
  });
});

const operationSchema = z.looseObject({
  requestBody: z
    .object({ content: z.record(z.string(), z.looseObject({ example: z.unknown().optional() })) })
    .optional(),
  parameters: z.array(z.looseObject({ name: z.string(), example: z.unknown().optional() })).default([]),
});

/** Every operation of the API with the example of its body. */
async function operations() {
  const { paths } = z
    .object({ paths: z.record(z.string(), z.record(z.string(), operationSchema)) })
    .parse(JSON.parse((await stand.ask("GET", "/api/openapi.json")).text));
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters, requestBody }]) => ({
      method: method.toUpperCase(),
      // GitHub's names of repositories have a slash, which must be told from the path's own
      path: path.replace(/\{(\w+)\}/g, (_, name: string) =>
        encodeURIComponent(String(parameters.find((one) => one.name === name)?.example ?? "ab12cd34")),
      ),
      body: requestBody?.content["application/json"]?.example,
    })),
  );
}

/** Under the bound of bodies, with room for the rest. */
const FULL = MB - 16 * 1024;

describe("a request", () => {
  it("of any operation does not hold it, whatever stands in its body", async () => {
    const all = (await operations()).filter(({ body }) => body !== undefined);
    expect(all.length).toBeGreaterThan(15);
    const statuses = new Map<string, Set<number>>();
    const crowded = crowds(19_000).map((value) => ({ name: "crowded", value: () => value }));
    const acts = all.flatMap(({ method, path, body }, nth) =>
      placesIn(body).flatMap((place, at) => {
        const texts = [0, 7, 14].map((step) => PIECES[(nth + at + step) % PIECES.length] ?? "a");
        // what fits the longest fields, and as much as a body may hold, of which nothing gets past the schema
        const sizes = [...texts.map((text) => [60_000, text] as const), [FULL, texts[0] ?? "a"] as const];
        const values = sizes.map(([bytes, text]) => ({ name: text, value: () => filling(bytes, text) }));
        return [...values, ...crowded].map(({ name, value }) => ({
          name: `${method} ${path} with ${place.join(".")} ${name}`,
          act: async () => {
            const { status } = await stand.ask(method, path, withAt(body, place, value()));
            statuses.set(path, (statuses.get(path) ?? new Set()).add(status));
          },
        }));
      }),
    );
    expect(await stand.tooLong(acts)).toEqual([]);
    // nobody was refused for too many requests
    expect([...statuses.values()].flatMap((set) => [...set])).not.toContain(429);
  });
});

describe("a page", () => {
  it("or a form, a cookie, an address or an event of Stripe's does not hold it", async () => {
    const names = JSON.stringify(Object.fromEntries(Array.from({ length: 80_000 }, (_, at) => [`k${at}`, 1])));
    const form = (body: string) =>
      stand.ask("POST", "/keys", body, { "content-type": "application/x-www-form-urlencoded" });
    const event = async (body: string) => {
      const at = Math.floor(Date.now() / 1_000);
      const signed = createHmac("sha256", STRIPE).update(`${at}.${body}`).digest("hex");
      const header = { "stripe-signature": `t=${at},v1=${signed}` };
      expect((await stand.ask("POST", "/api/stripe/webhook", body, header)).status).toBe(body === names ? 400 : 200);
      await stand.ask("POST", "/api/stripe/webhook", body, {
        "stripe-signature": `t=${at},v1=${"0,v1=".repeat(3_000)}`,
      });
    };
    const acts: Act[] = PIECES.flatMap((text) => {
      const words = encodeURIComponent(filling(800, text)).slice(0, 7_000);
      return [
        { name: `form ${text}`, act: () => form(`repository=${words.slice(0, 4_000)}`) },
        { name: `fields ${text}`, act: () => form(`a[${text}]=&`.repeat(300)) },
        { name: `query ${text}`, act: () => stand.ask("GET", `/keys?repository=${words}`) },
        { name: `address ${text}`, act: () => stand.ask("GET", `/api/jobs/${words}`) },
        { name: `cursor ${text}`, act: () => stand.ask("GET", `/api/jobs?limit=100&cursor=${words}`) },
        { name: `back ${text}`, act: () => stand.ask("GET", `/keys/callback?code=${words}&state=${words}`) },
        { name: `cookie ${text}`, act: () => stand.ask("GET", "/keys/callback", undefined, { cookie: `a=${words}` }) },
        {
          name: `tag ${text}`,
          act: () => stand.ask("GET", "/api/openapi.json", undefined, { "if-none-match": words }),
        },
        {
          name: `event ${text}`,
          act: () => event(JSON.stringify({ id: "evt_1", type: filling(FULL, text), data: { object: {} } })),
        },
      ];
    });
    acts.push({ name: "event of names", act: () => event(names) });
    expect(await stand.tooLong(acts)).toEqual([]);
  });
});
