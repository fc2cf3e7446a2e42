/** A private key for an App of the tests, made afresh for each process. */
import { generateKeyPairSync } from "node:crypto";

export const appKey = generateKeyPairSync("rsa", { modulusLength: 2048 })
  .privateKey.export({ type: "pkcs1", format: "pem" })
  .toString();
