import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { Secret } from "../../src/contracts/secret.ts";
import { createSealedBox } from "../../src/main/seal.ts";

const KEY = new Secret("ab".repeat(32));
const SECRET = new Secret("whsec_something");

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), "seal-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  return dir;
}

it("gives back what was sealed, under a key in hexadecimal digits or in base64", () => {
  const hex = createSealedBox({ encryption_key: KEY, data_dir: "/nowhere" });
  const base64 = new Secret(Buffer.from(KEY.reveal(), "hex").toString("base64"));
  const same = createSealedBox({ encryption_key: base64, data_dir: "/nowhere" });
  const sealed = hex.seal(SECRET, "a purpose");
  expect(sealed).not.toContain("something");
  expect(same.open(sealed, "a purpose").reveal()).toBe("whsec_something");
  expect(hex.seal(SECRET, "a purpose")).not.toBe(sealed);
});

it("opens nothing for another purpose, with another key, or that was changed", () => {
  const box = createSealedBox({ encryption_key: KEY, data_dir: "/nowhere" });
  const other = createSealedBox({ encryption_key: new Secret("cd".repeat(32)), data_dir: "/nowhere" });
  const sealed = box.seal(SECRET, "a purpose");
  const changed = `${sealed.slice(0, -1)}${sealed.endsWith("A") ? "B" : "A"}`;
  expect(() => box.open(sealed, "another")).toThrow();
  expect(() => other.open(sealed, "a purpose")).toThrow(/ENCRYPTION_KEY/);
  expect(() => box.open(`${sealed.slice(0, -8)}AAAAAAAA`, "a purpose")).toThrow();
  expect(() => box.open(changed.replace("v1", "v2"), "a purpose")).toThrow(/damaged/);
  expect(() => box.open("", "a purpose")).toThrow(/damaged/);
});

it("makes a key that only the owner may read, at the first need, and finds it again", () => {
  const dir = folder();
  const box = createSealedBox({ encryption_key: null, data_dir: dir });
  const path = join(dir, "encryption.key");
  expect(() => statSync(path)).toThrow();
  const sealed = box.seal(SECRET, "a purpose");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readFileSync(path, "utf8")).toMatch(/^[0-9a-f]{64}\n$/);
  const later = createSealedBox({ encryption_key: null, data_dir: dir });
  expect(later.open(sealed, "a purpose").reveal()).toBe("whsec_something");
});

it("says what is wrong with a damaged key instead of making another", () => {
  const dir = folder();
  writeFileSync(join(dir, "encryption.key"), "torn");
  expect(() => createSealedBox({ encryption_key: null, data_dir: dir }).seal(SECRET, "x")).toThrow(/Restore it/);
});
