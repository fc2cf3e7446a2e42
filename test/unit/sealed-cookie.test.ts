/** The cookie of signing in: what opens it, and what does not. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import * as z from "zod";
import { Secret } from "../../src/contracts/secret.ts";
import { sealedCookie } from "../../src/http/pages/sealed-cookie.ts";
import { createSealedBox } from "../../src/main/seal.ts";

const LIFE_MS = 600_000;
const KEY = new Secret("ab".repeat(32));

function world() {
  const data_dir = mkdtempSync(join(tmpdir(), "cookie-"));
  onTestFinished(() => rmSync(data_dir, { recursive: true }));
  let now = 1_000;
  /** As a process that has just started makes it. */
  const cookie = (encryption_key: Secret | null, name = "sign-in") =>
    sealedCookie({
      ...{
        name,
        path: "/keys",
        secure: true,
        same_site: "Lax",
        life_ms: LIFE_MS,
        schema: z.object({ state: z.string() }),
      },
      ...{ box: createSealedBox({ encryption_key, data_dir }), now: () => now },
    });
  return { cookie, pass: (ms: number) => (now += ms) };
}

const sent = (set: string): string => set.split(";")[0] ?? "";

it.each([null, KEY])("is opened after a restart, until its time is over, with the key %s", (key) => {
  const { cookie, pass } = world();
  const set = cookie(key).seal({ state: "s" });
  expect(set).toMatch(/^sign-in=[\w.-]+; Max-Age=600; Path=\/keys; HttpOnly; SameSite=Lax; Secure$/);
  expect(set).not.toContain("state");
  pass(LIFE_MS - 1);
  expect(cookie(key).open(`other=1; ${sent(set)}`)).toEqual({ state: "s" });
  pass(1);
  expect(cookie(key).open(sent(set))).toBeNull();
});

it("is nothing when it was made for something else, with another key, or changed", () => {
  const { cookie } = world();
  const value = sent(cookie(KEY).seal({ state: "s" }));
  expect(cookie(KEY, "other").open(value.replace("sign-in", "other"))).toBeNull();
  expect(cookie(new Secret("cd".repeat(32))).open(value)).toBeNull();
  for (const changed of [
    value.slice(0, -4),
    value.replace(/.{4}$/, "AAAA"),
    "sign-in=",
    "sign-in=v1.x.y",
    "sign-in={}",
  ])
    expect(cookie(KEY).open(changed)).toBeNull();
  expect(cookie(KEY).open(undefined)).toBeNull();
});
