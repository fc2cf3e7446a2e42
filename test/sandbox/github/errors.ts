/**
 * GitHub's error answers. Request handlers throw a refusal, which `server.ts` turns into an answer; code outside of a
 * request must not throw one.
 */
import type { z } from "zod";

const DOCUMENTATION = "https://docs.github.com/rest";

export class Refusal extends Error {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  constructor(
    status: number,
    message: string,
    more: { errors?: unknown; headers?: Record<string, string>; documentationUrl?: string } = {},
  ) {
    super(message);
    this.status = status;
    this.headers = more.headers ?? {};
    this.body = {
      message,
      ...(more.errors === undefined ? {} : { errors: more.errors }),
      documentation_url: more.documentationUrl ?? DOCUMENTATION,
      status: String(status),
    };
  }
}

export const notFound = (): Refusal => new Refusal(404, "Not Found");
export const notAccessible = (): Refusal => new Refusal(403, "Resource not accessible by integration");

/** 422 in the format `{"message":"Validation Failed","errors":[…]}`. */
export function validationFailed(resource: string, message: string, more: Record<string, unknown> = {}): Refusal {
  return new Refusal(422, "Validation Failed", { errors: [{ resource, code: "custom", message, ...more }] });
}

/** Parses a request body; an invalid one gets GitHub's 422 that names the property. */
export function parseBody<T extends z.ZodType>(schema: T, body: unknown): z.infer<T> {
  const parsed = schema.safeParse(body ?? {});
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) =>
    issue.path.length === 0 ? issue.message : `For 'properties/${issue.path.join("/")}', ${issue.message}.`,
  );
  throw new Refusal(422, `Invalid request.\n\n${lines.join("\n")}`);
}
