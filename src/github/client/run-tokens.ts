/**
 * The OIDC tokens of workflows: are they GitHub's, for us, and of now? What they claim is then held against the job by
 * whoever knows it. A key that is not known makes us ask GitHub for its keys, but not more often than a cool-down allows,
 * whoever sends what.
 */
import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey, jwtVerify } from "jose";
import { z } from "zod";
import type { RunTokens, Verified } from "../../engine/ports/runs.ts";

const KEYS_PATH = "/.well-known/jwks";
/** Clocks may differ by so much. */
const TOLERANCE_S = 30;
/** GitHub's keys are kept for so long, and asked for again no sooner than this, for a key that is not among them. */
const KEPT_MS = 600_000;
const COOL_DOWN_MS = 30_000;
/** After a question that failed. */
const AGAIN_MS = 5_000;
const TIMEOUT_MS = 5_000;
/** GitHub's tokens have about 2,000 characters; more than this are not read. */
const MAX_TOKEN_LENGTH = 8_192;

const whole = z
  .string()
  .regex(/^[1-9]\d{0,14}$/)
  .transform(Number);

const claims = z.object({
  repository_id: whole,
  ref: z.string(),
  run_id: whole,
  run_attempt: whole,
  workflow_ref: z.string(),
  job_workflow_ref: z.string(),
  event_name: z.string(),
});

export interface RunTokenParts {
  readonly issuer: string;
  /** The App's own address, which a workflow asks a token for. */
  readonly audience: string;
  readonly now: () => number;
  /** By which a token is held to its times; unless given, the same. */
  readonly wall?: () => number;
}

const INVALID: Verified = { kind: "invalid" };
const UNAVAILABLE: Verified = { kind: "unavailable" };

class KeysUnreadable extends Error {
  override readonly name = "KeysUnreadable";
}

/** The keys could not be had, through no fault of the token's. */
const keysFailed = (error: unknown): boolean =>
  error instanceof KeysUnreadable ||
  error instanceof errors.JWKSTimeout ||
  error instanceof errors.JWKSInvalid ||
  (error instanceof errors.JOSEError && error.code === errors.JOSEError.code);

/** The issuer's keys; while they cannot be read, that is tried again no sooner than {@link AGAIN_MS}. */
function keysOf({ issuer, now }: RunTokenParts): JWTVerifyGetKey {
  let failed_at = Number.NEGATIVE_INFINITY;
  return createRemoteJWKSet(new URL(issuer + KEYS_PATH), {
    cacheMaxAge: KEPT_MS,
    cooldownDuration: COOL_DOWN_MS,
    timeoutDuration: TIMEOUT_MS,
    [customFetch]: async (url, options) => {
      if (now() - failed_at < AGAIN_MS) throw new KeysUnreadable("GitHub's keys could not be read a moment ago");
      const answer = await fetch(url, options).catch(() => null);
      if (answer?.ok === true) return answer;
      failed_at = now();
      throw new KeysUnreadable(`GitHub's keys could not be read (${answer?.status ?? "no answer"})`);
    },
  });
}

export function createRunTokens(parts: RunTokenParts): RunTokens {
  const { issuer, audience, wall = parts.now } = parts;
  const keys = keysOf(parts);
  return {
    async verify(token) {
      if (token.length > MAX_TOKEN_LENGTH) return INVALID;
      try {
        const { payload } = await jwtVerify(token, keys, {
          ...{ issuer, audience, algorithms: ["RS256"], clockTolerance: TOLERANCE_S, currentDate: new Date(wall()) },
          requiredClaims: ["exp", "iat", "sub"],
        });
        const parsed = claims.safeParse(payload);
        return parsed.success ? { kind: "claims", claims: parsed.data } : INVALID;
      } catch (error) {
        if (keysFailed(error)) return UNAVAILABLE;
        if (error instanceof errors.JOSEError) return INVALID;
        throw error;
      }
    },
  };
}
