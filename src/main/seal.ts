/**
 * Encrypts secrets that must be read again, unlike API keys: AES-256-GCM under ENCRYPTION_KEY, each bound to its
 * purpose so that one cannot replace another. Without that setting, creates a key in the data folder when first needed.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { Secret } from "../contracts/secret.ts";
import type { SealedBox } from "../engine/ports/sealed-box.ts";
import { makeSecretFile, readSecretFile } from "./secret-file.ts";

const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const FORMAT = "v1";
const FILE = "encryption.key";

/** 32 bytes, from 64 hexadecimal digits or base64. */
const keyFrom = (text: string): Buffer =>
  /^[0-9a-fA-F]{64}$/.test(text) ? Buffer.from(text, "hex") : Buffer.from(text, "base64");

function readKey(path: string): Buffer | null {
  const text = readSecretFile(path);
  if (text === null) return null;
  const key = keyFrom(text.trim());
  if (key.length === KEY_BYTES) return key;
  throw new Error(
    `${path} holds no key. Restore it from a backup: what was sealed with it cannot be opened without it.`,
  );
}

/** On the disk before anything is sealed with it. */
function makeKey(dir: string): Buffer {
  const key = randomBytes(KEY_BYTES);
  makeSecretFile(dir, FILE, `${key.toString("hex")}\n`);
  return key;
}

/** Tells keys apart without telling of them. */
const nameOf = (key: Buffer): string => createHash("sha256").update("name of").update(key).digest("hex").slice(0, 8);

const damaged = (purpose: string): Error => new Error(`What was sealed for ${purpose} is damaged.`);

export function createSealedBox(settings: {
  readonly encryption_key: Secret | null;
  /** Where a key is made when none is set. */
  readonly data_dir: string;
}): SealedBox {
  let known: { readonly key: Buffer; readonly name: string } | null = null;

  const theKey = (): { readonly key: Buffer; readonly name: string } => {
    if (known !== null) return known;
    const path = join(settings.data_dir, FILE);
    const given = settings.encryption_key === null ? null : keyFrom(settings.encryption_key.reveal());
    const key = given ?? readKey(path) ?? makeKey(settings.data_dir);
    known = { key, name: nameOf(key) };
    return known;
  };

  return {
    seal(secret, purpose) {
      const { key, name } = theKey();
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(Buffer.from(`${FORMAT} ${purpose}`));
      const closed = [iv, cipher.update(secret.reveal(), "utf8"), cipher.final(), cipher.getAuthTag()];
      return `${FORMAT}.${name}.${Buffer.concat(closed).toString("base64url")}`;
    },
    open(sealed, purpose) {
      const { key, name } = theKey();
      const [format, by, text = ""] = sealed.split(".");
      if (format !== FORMAT) throw damaged(purpose);
      if (by !== name)
        throw new Error(`What was sealed for ${purpose} needs another key; set ENCRYPTION_KEY as it was.`);
      const bytes = Buffer.from(text, "base64url");
      try {
        const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
          .setAAD(Buffer.from(`${FORMAT} ${purpose}`))
          .setAuthTag(bytes.subarray(-TAG_BYTES));
        const open = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]);
        return new Secret(open.toString("utf8"));
      } catch {
        throw damaged(purpose);
      }
    },
  };
}
