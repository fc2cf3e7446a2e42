/** The RSA pair of this process's GitHub: one for all that it signs, since making one takes long. */
import { generateKeyPairSync, type KeyObject } from "node:crypto";

let pair: { readonly publicKey: KeyObject; readonly privateKey: KeyObject } | undefined;

export function keyPair(): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  pair ??= generateKeyPairSync("rsa", { modulusLength: 2048 });
  return pair;
}

export const privateKeyPem = (): string => keyPair().privateKey.export({ type: "pkcs8", format: "pem" }).toString();
