/**
 * Verifies the OIDC tokens of workflow runs: issuer, audience and time. Callers compare the claims with the job. An
 * unknown key makes us fetch GitHub's keys, at most once per cool-down.
 */
import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey, jwtVerify } from "jose";
import * as z from "zod";
import type { RunTokens, Verified } from "../../engine/ports/runs.ts";

const KEYS_PATH = "/.well-known/jwks";
/** Tolerated difference between clocks. */
const TOLERANCE_S = 30;
/** How long GitHub's keys are cached, and the minimum time between fetches for an unknown key. */
const KEPT_MS = 600_000;
const COOL_DOWN_MS = 30_000;
/** Minimum time after a failed fetch. */
const RETRY_MS = 5_000;
const TIMEOUT_MS = 5_000;
/** Longer tokens are not parsed; GitHub's have about 2,000 characters. */
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
  /** The App's own address, the token's audience. */
  readonly audience: string;
  readonly now: () => number;
  /** Wall clock for the token's times; defaults to `now`. */
  readonly wall?: () => number;
}

const INVALID: Verified = { kind: "invalid" };
const UNAVAILABLE: Verified = { kind: "unavailable" };

class KeysUnreadable extends Error {
  override readonly name = "KeysUnreadable";
}

/** The keys could not be fetched, which is not the token's fault. */
const keysFailed = (error: unknown): boolean =>
  error instanceof KeysUnreadable ||
  error instanceof errors.JWKSTimeout ||
  error instanceof errors.JWKSInvalid ||
  (error instanceof errors.JOSEError && error.code === errors.JOSEError.code);

/** The issuer's keys. A failed fetch is retried after {@link AGAIN_MS}. */
function keysOf({ issuer, now }: RunTokenParts): JWTVerifyGetKey {
  let failed_at = Number.NEGATIVE_INFINITY;
  return createRemoteJWKSet(new URL(issuer + KEYS_PATH), {
    cacheMaxAge: KEPT_MS,
    cooldownDuration: COOL_DOWN_MS,
    timeoutDuration: TIMEOUT_MS,
    [customFetch]: async (url, options) => {
      if (now() - failed_at < RETRY_MS) throw new KeysUnreadable("GitHub's keys could not be read a moment ago");
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
