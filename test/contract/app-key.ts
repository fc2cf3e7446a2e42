/** A private key for an App of the tests, in the format that GitHub hands out. */
import { keyPair } from "../sandbox/github/key-pair.ts";

export const appKey = keyPair().privateKey.export({ type: "pkcs1", format: "pem" }).toString();
