/** Authentication: verifies App JWTs; issues, finds and revokes tokens. `access.ts` decides what they permit. */
import { createPublicKey, type KeyObject, randomBytes, verify } from "node:crypto";
import * as z from "zod";
import { Refusal } from "./errors.ts";
import type { Installation, PermissionMap, Repository, User } from "./model.ts";
import type { Oauth } from "./oauth.ts";

/** Installation tokens live one hour, and so does GITHUB_TOKEN unless its job ends earlier. */
const TOKEN_LIFE_MS = 3_600_000;
/** User-to-server tokens live eight hours, refresh tokens half a year. */
const USER_TOKEN_LIFE_S = 28_800;
const REFRESH_LIFE_S = 15_897_600;
/** GitHub refuses JWTs that end later, and those issued in its future. */
const JWT_LIFE_S = 600;

export interface AccessToken {
  readonly kind: "installation" | "workflow";
  readonly value: string;
  readonly expiresAt: number;
  readonly permissions: PermissionMap;
  /** undefined for every repository of the installation. */
  readonly repositoryIds: ReadonlySet<number> | undefined;
  readonly installation: Installation | undefined;
  readonly user: User;
}

export type Actor =
  | { readonly kind: "anonymous" }
  | { readonly kind: "app" }
  | { readonly kind: "token"; readonly token: AccessToken }
  | { readonly kind: "user"; readonly user: User }
  /** A person through the App, with the permissions of both; here it only identifies them. */
  | { readonly kind: "user-to-server"; readonly user: User }
  /** The App, authenticated by client id and secret. */
  | { readonly kind: "client" };

const header = z.object({ alg: z.literal("RS256") });
const claims = z.object({ iat: z.number(), exp: z.number(), iss: z.union([z.string(), z.number()]) });
const UNREADABLE = "A JSON web token could not be decoded";

function part<T extends z.ZodType>(schema: T, text: string | undefined): z.infer<T> {
  try {
    return schema.parse(JSON.parse(Buffer.from(text ?? "", "base64url").toString("utf8")));
  } catch {
    throw new Refusal(401, UNREADABLE);
  }
}

export class Tokens {
  readonly #appId: number;
  readonly #publicKey: KeyObject;
  readonly #now: () => number;
  readonly #tokens = new Map<string, AccessToken>();
  readonly #users = new Map<string, User>();
  readonly #userToServer = new Map<string, { readonly user: User; readonly expiresAt: number }>();
  readonly #oauth: Oauth;

  constructor(parts: { appId: number; publicKeyPem: string; oauth: Oauth; now: () => number }) {
    this.#appId = parts.appId;
    this.#publicKey = createPublicKey(parts.publicKeyPem);
    this.#oauth = parts.oauth;
    this.#now = parts.now;
  }

  /** The actor of an Authorization header; throws GitHub's 401. */
  identify(authorization: string | undefined): Actor {
    if (authorization === undefined || authorization === "") return { kind: "anonymous" };
    const { name, value } = credentialsOf(authorization);
    if (value === undefined) throw new Refusal(401, "Bad credentials");
    const user = this.#users.get(value);
    if (user) return { kind: "user", user };
    const signedIn = this.#userToServer.get(value);
    if (signedIn && signedIn.expiresAt > this.#now()) return { kind: "user-to-server", user: signedIn.user };
    if (name !== undefined && this.#oauth.isClient(name, value)) return { kind: "client" };
    const token = this.#tokens.get(value);
    if (token && token.expiresAt > this.#now()) return { kind: "token", token };
    if (!value.startsWith("ghs_") && value.split(".").length === 3) {
      this.#verifyJwt(value);
      return { kind: "app" };
    }
    throw new Refusal(401, "Bad credentials");
  }

  createInstallationToken(
    installation: Installation,
    user: User,
    permissions: PermissionMap,
    repositories: readonly Repository[] | undefined,
  ): AccessToken {
    return this.#createKey({
      kind: "installation",
      permissions,
      repositoryIds: repositories ? new Set(repositories.map((repository) => repository.id)) : undefined,
      installation,
      user,
    });
  }

  createWorkflowToken(repository: Repository, user: User, permissions: PermissionMap): AccessToken {
    const repositoryIds = new Set([repository.id]);
    return this.#createKey({ kind: "workflow", permissions, repositoryIds, installation: undefined, user });
  }

  userToken(user: User): string {
    const value = `ghp_${randomBytes(18).toString("hex")}`;
    this.#users.set(value, user);
    return value;
  }

  /** GitHub's answer to the exchange of a code. */
  createUserToken(user: User): Readonly<Record<string, string | number>> {
    const value = `ghu_${randomBytes(18).toString("hex")}`;
    this.#userToServer.set(value, { user, expiresAt: this.#now() + USER_TOKEN_LIFE_S * 1_000 });
    return {
      access_token: value,
      expires_in: USER_TOKEN_LIFE_S,
      refresh_token: `ghr_${randomBytes(38).toString("hex")}`,
      refresh_token_expires_in: REFRESH_LIFE_S,
      scope: "",
      token_type: "bearer",
    };
  }

  /** False when there is no such token. */
  revokeUserToken(value: string): boolean {
    return this.#userToServer.delete(value);
  }

  revoke(value: string): void {
    this.#tokens.delete(value);
  }

  /** An uninstallation invalidates all tokens of the installation. */
  revokeInstallation(id: number): void {
    for (const [value, token] of this.#tokens) if (token.installation?.id === id) this.#tokens.delete(value);
  }

  #createKey(token: Omit<AccessToken, "value" | "expiresAt">): AccessToken {
    const random = (bytes: number) => randomBytes(bytes).toString("base64url");
    // The current format: `ghs_<app id>_<jwt>`, about 520 characters. The signature is random, since tokens are looked
    // up.
    const payload = Buffer.from(JSON.stringify({ iss: "sandbox", jti: random(48) })).toString("base64url");
    const value = `ghs_${this.#appId}_${Buffer.from('{"alg":"RS256","typ":"JWT"}').toString("base64url")}.${payload}.${random(256)}`;
    const newKey: AccessToken = { ...token, value, expiresAt: this.#now() + TOKEN_LIFE_MS };
    this.#tokens.set(value, newKey);
    return newKey;
  }

  #verifyJwt(jwt: string): void {
    const [head, body, signature] = jwt.split(".");
    part(header, head);
    const { iat, exp, iss } = part(claims, body);
    const signed = verify(
      "sha256",
      Buffer.from(`${head}.${body}`),
      this.#publicKey,
      Buffer.from(signature ?? "", "base64url"),
    );
    if (!signed || String(iss) !== String(this.#appId)) throw new Refusal(401, UNREADABLE);
    const now = Math.floor(this.#now() / 1000);
    if (exp <= now)
      throw new Refusal(
        401,
        "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
      );
    if (exp > now + JWT_LIFE_S) throw new Refusal(401, "'Expiration time' claim ('exp') is too far in the future");
    if (iat > now)
      throw new Refusal(
        401,
        "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
      );
  }
}

/** `Bearer X`, `token X`, or the password of Basic. */
function credentialsOf(authorization: string): { name?: string; value?: string } {
  const [scheme = "", value = ""] = authorization.split(/\s+/, 2);
  if (/^(?:bearer|token)$/i.test(scheme)) return { value };
  if (!/^basic$/i.test(scheme)) return {};
  const decoded = Buffer.from(value, "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  return { name: decoded.slice(0, Math.max(0, colon)), value: decoded.slice(colon + 1) };
}
