/**
 * Reads the App's private key from `PRIVATE_KEY` (PEM, PEM with `\n` spelt out, PEM on one line, or PEM in base64) or
 * from the file in `PRIVATE_KEY_PATH`, and checks it, since a broken key would otherwise fail at the first call.
 */
import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Secret } from "../contracts/secret.ts";

export type PrivateKeyReading = { readonly key: Secret } | { readonly mistake: string };

const PEM = /^(-----BEGIN [A-Z ]*PRIVATE KEY-----)([\s\S]+)(-----END [A-Z ]*PRIVATE KEY-----)$/;

/** The key with its line breaks, however the environment has mangled them; null when this is no PEM. */
function asPem(value: string): string | null {
  const given = value.trim().replace(/^"(.*)"$/s, "$1");
  const decoded = given.startsWith("-----") ? given : Buffer.from(given, "base64").toString("utf8").trim();
  const parts = PEM.exec(decoded.replaceAll("\\n", "\n").trim());
  return parts === null ? null : `${parts[1]}\n${(parts[2] ?? "").trim().replace(/\s+/g, "\n")}\n${parts[3]}\n`;
}

function checked(name: string, value: string): PrivateKeyReading {
  const pem = asPem(value);
  if (pem === null) return { mistake: `${name}: must be a private key in PEM form, or the PEM in base64.` };
  try {
    if (createPrivateKey(pem).asymmetricKeyType === "rsa") return { key: new Secret(pem) };
  } catch {
    // falls through: the reason may quote the key
  }
  return { mistake: `${name}: is not a readable RSA private key; download the App's key again.` };
}

/** Null when neither variable is set. */
export function readPrivateKey(
  variables: Readonly<Record<string, string | undefined>>,
  cwd: string,
): PrivateKeyReading | null {
  if (variables.PRIVATE_KEY !== undefined) return checked("PRIVATE_KEY", variables.PRIVATE_KEY);
  if (variables.PRIVATE_KEY_PATH === undefined) return null;
  let file: string;
  try {
    file = readFileSync(resolve(cwd, variables.PRIVATE_KEY_PATH), "utf8");
  } catch {
    return { mistake: `PRIVATE_KEY_PATH: the file ${variables.PRIVATE_KEY_PATH} cannot be read.` };
  }
  return checked("PRIVATE_KEY_PATH", file);
}
