import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { client, REPO, type World, world } from "./kit.ts";

const DATA = Buffer.from("89504e470d0a1a0a", "hex");
const FULL = { accept: "application/vnd.github.full+json" };

describe("attachments of issues and comments", () => {
  let w: World;
  let now = Date.now();
  beforeAll(async () => {
    w = await world({ now: () => now });
  });
  afterAll(() => w.close());

  const htmlOf = (body: unknown): string => z.object({ body_html: z.string() }).parse(body).body_html;
  const signedIn = (html: string): string => /src="([^"]+)"/.exec(html)?.[1]?.replaceAll("&amp;", "&") ?? "";

  it("open for no token under the address in the text", async () => {
    const [, address = ""] = /\((.+)\)/.exec(w.github.attach({ data: DATA })) ?? [];
    expect((await w.call(`GET ${address}`)).status).toBe(404);
    expect((await client(w.github)(`GET ${address}`)).status).toBe(404);
  });

  it("open for five minutes under the signed address of the rendered text, without credentials", async () => {
    const number = w.github.openIssue(REPO, { title: "t", body: w.github.attach({ data: DATA }), by: "octo" });
    const plain = await w.call(`GET /repos/${REPO}/issues/${number}`);
    expect(plain.body).not.toHaveProperty("body_html");
    const full = await w.call(`GET /repos/${REPO}/issues/${number}`, undefined, FULL);
    const signed = signedIn(htmlOf(full.body));
    expect(signed).toContain("?jwt=");
    const anybody = client(w.github);
    expect((await anybody(`GET ${signed}`)).status).toBe(200);
    expect((await w.call(`GET ${signed}`)).status, "with a token").toBe(400);
    expect((await anybody(`GET ${signed.replace("jwt=", "jwt=x")}`)).status).toBe(404);
    now += 5 * 60_000 + 1;
    expect((await anybody(`GET ${signed}`)).status).toBe(401);
  });

  it("are in the rendered text of a comment, too", async () => {
    const number = w.github.openIssue(REPO, { title: "t", by: "octo" });
    const id = w.github.comment(REPO, number, { body: `<b> ${w.github.attach({ data: DATA })}`, by: "octo" });
    const { body } = await w.call(`GET /repos/${REPO}/issues/comments/${id}`, undefined, FULL);
    expect(htmlOf(body)).toContain("&lt;b>");
    expect(signedIn(htmlOf(body))).toContain("/private-user-images/");
  });
});
