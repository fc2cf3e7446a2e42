/** The lists of tokens in docs/security.md are complete. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { redact } from "../../src/contracts/redact.ts";
import { TOKENS } from "../../src/contracts/tokens.ts";

const ROOT = join(import.meta.dirname, "../..");
describe("the list of tokens", () => {
  test("has every setting that is a secret", () => {
    const settings = readFileSync(join(ROOT, "src/main/settings.ts"), "utf8");
    const names = [...settings.matchAll(/^ {2}(\w+): (?:secret\(|encryptionKey)/gm)].map(([, name = ""]) => name);
    expect(names.length).toBeGreaterThan(6);
    const listed = TOKENS.map(({ name }) => name).join("\n");
    expect([...names, "PRIVATE_KEY"].filter((name) => !listed.includes(`\`${name}\``))).toEqual([]);
  });

  test("has the shape of everything that looks like a token, and redaction goes by it", () => {
    const x = "x".repeat(40);
    const some = [`ghs_1_${x}.${x}.${x}`, `ghp_${x}`, `github_pat_${x}`, `sk-ant-${x}`, `whsec_${x}`, `jm_${x}`];
    const chats = [
      `https://hooks.slack.com/services/T0/B0/${x}`,
      `https://discord.com/api/webhooks/1/${x}`,
      `&sig=${x}`,
    ];
    for (const token of [...some, ...chats, "AKIA0123456789ABCDEF", "-----BEGIN RSA PRIVATE KEY-----\nx"]) {
      const known = TOKENS.flatMap(({ shapes = [] }) => shapes).some((shape) => token.replace(shape, "") === "");
      expect(known, token).toBe(true);
      expect(redact(`a ${token} b`)).not.toContain(token);
    }
  });
});
