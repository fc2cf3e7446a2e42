/**
 * Manifests of Apps as GitHub reads them: what it refuses, and the codes that credentials are handed over for. Independent
 * of HTTP.
 */
import { createPrivateKey, randomBytes } from "node:crypto";
import * as z from "zod";
import type { Json, PermissionMap, User } from "./model.ts";

/** GitHub keeps what it has made for an hour. */
const CODE_LIFE_MS = 3_600_000;
const MAX_CALLBACKS = 10;

/** The permissions that an event may come with; each of them allows it. */
const EVENTS: Readonly<Record<string, readonly string[]>> = {
  check_run: ["checks"],
  check_suite: ["checks"],
  delete: ["contents"],
  issue_comment: ["issues", "pull_requests"],
  issues: ["issues"],
  merge_group: ["merge_queues"],
  pull_request: ["pull_requests"],
  pull_request_review: ["pull_requests"],
  pull_request_review_comment: ["pull_requests"],
  pull_request_review_thread: ["pull_requests"],
  push: ["contents"],
  release: ["contents"],
  repository: ["metadata"],
  status: ["statuses"],
  workflow_job: ["actions"],
  workflow_run: ["actions"],
};
const PERMISSIONS = [
  "actions",
  "checks",
  "contents",
  "issues",
  "merge_queues",
  "metadata",
  "pull_requests",
  "statuses",
  "workflows",
];

const url = z.url({ protocol: /^https?$/ });
const manifestSchema = z.object({
  name: z.string().optional(),
  url,
  hook_attributes: z.object({ url, active: z.boolean().default(true) }).optional(),
  redirect_url: url,
  callback_urls: z.array(url).max(MAX_CALLBACKS).default([]),
  setup_url: url.optional(),
  description: z.string().default(""),
  public: z.boolean().default(true),
  default_events: z.array(z.string()).default([]),
  default_permissions: z.record(z.string(), z.enum(["read", "write"])).default({}),
});

export type Manifest = z.infer<typeof manifestSchema>;

export interface MadeApp {
  readonly owner: User;
  readonly name: string;
  readonly manifest: Manifest;
}

/** What was made, and what of it is still to be handed over. */
export class AppManifests {
  made: MadeApp | undefined;
  readonly #now: () => number;
  readonly #privateKey: string;
  readonly #reachable: (url: URL) => boolean;
  readonly #codes = new Map<string, { readonly credentials: Json; readonly expiresAt: number }>();

  constructor(parts: { now: () => number; privateKey: string; reachable: (url: URL) => boolean }) {
    this.#now = parts.now;
    this.#reachable = parts.reachable;
    // GitHub hands keys over in this form
    const pem = createPrivateKey(parts.privateKey).export({ type: "pkcs1", format: "pem" });
    this.#privateKey = pem.toString();
  }

  /** The manifest in this text, or what GitHub says of it. */
  read(text: string): Manifest | readonly string[] {
    let given: unknown;
    try {
      given = JSON.parse(text);
    } catch {
      return ["The configuration does not appear to be a valid GitHub App manifest."];
    }
    const parsed = manifestSchema.safeParse(given);
    if (!parsed.success) return parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
    const problems = problemsOf(parsed.data);
    const hook = parsed.data.hook_attributes;
    if (hook !== undefined && !this.#reachable(new URL(hook.url)))
      problems.push(
        `Hook url is not supported because it isn't reachable over the public Internet (${new URL(hook.url).hostname})`,
      );
    return problems.length > 0 ? problems : parsed.data;
  }

  code(credentials: Json): string {
    const value = randomBytes(20).toString("hex");
    this.#codes.set(value, {
      credentials: { ...credentials, pem: this.#privateKey },
      expiresAt: this.#now() + CODE_LIFE_MS,
    });
    return value;
  }

  /** Once. */
  convert(code: string): Json | undefined {
    const found = this.#codes.get(code);
    this.#codes.delete(code);
    return found !== undefined && found.expiresAt > this.#now() ? found.credentials : undefined;
  }
}

function problemsOf({ default_events, default_permissions }: Manifest): string[] {
  const granted: PermissionMap = { metadata: "read", ...default_permissions };
  const unknown = Object.keys(default_permissions).filter((name) => !PERMISSIONS.includes(name));
  const unheard = default_events.filter((event) => !(EVENTS[event] ?? []).some((name) => name in granted));
  return [
    ...unknown.map((name) => `Default permission records resource is not included in the list: ${name}`),
    ...(unheard.length > 0 ? [`Default events unsupported: ${unheard.join(", ")}`] : []),
  ];
}
