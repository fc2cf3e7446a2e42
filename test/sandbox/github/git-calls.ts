/** Calls of git over HTTP by programs that are no git themselves: counted, limited, delayed and failed like those of the API. */
import type { IncomingMessage } from "node:http";
import type { Api } from "./api.ts";
import type { Fault } from "./faults.ts";
import { actorKey, type LimitAnswer } from "./limits.ts";
import type { Actor } from "./tokens.ts";

export interface GitCall {
  readonly actor: Actor;
  readonly method: string;
  /** `/info/refs` or `/git-receive-pack`. */
  readonly rest: string;
  readonly path: string;
}

/** Git itself says its version and no more. */
export const isGit = (request: IncomingMessage): boolean => /^git\/[\d.]+$/.test(request.headers["user-agent"] ?? "");

/** GitHub wants to hear from a git (https://github.com/jelmer/dulwich/issues/562). */
export const saysGit = (request: IncomingMessage): boolean =>
  request.headers["user-agent"]?.startsWith("git/") === true;

export interface GitAnswer {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const limited = ({ status, message, retryAfter }: LimitAnswer): GitAnswer => ({
  status,
  text: message,
  ...(retryAfter === undefined ? {} : { headers: { "retry-after": String(retryAfter) } }),
});

/** Whose refs were asked for last, by actor and repository: some hosts want that before a push. */
const asked = new WeakMap<Api, Set<string>>();

function refused(api: Api, call: GitCall): GitAnswer | undefined {
  const { way } = api.world.pushes;
  const key = `${actorKey(call.actor)} ${call.path.slice(0, -call.rest.length)}`;
  const known = asked.get(api) ?? new Set<string>();
  asked.set(api, known);
  if (call.rest === "/info/refs") known.add(key);
  if (way === "at once") return undefined;
  if (way === "not") return { status: 403, text: "This host takes no pushes from programs." };
  return call.rest === "/info/refs" || known.delete(key) ? undefined : { status: 400, text: "Ask for the refs first." };
}

/** What the answer became: its status, or a fault to be played after the work. */
export interface Counted {
  /** To be answered in place of the work. */
  readonly instead: GitAnswer | undefined;
  /** Replaces the answer, before or after the work. */
  readonly fault: Fault | undefined;
  /** To be called with the status at the end. */
  readonly done: (status: number) => void;
}

const NOT_COUNTED: Counted = { instead: undefined, fault: undefined, done: () => {} };

export async function countGitCall(api: Api, call: GitCall, request: IncomingMessage): Promise<Counted> {
  if (isGit(request)) return NOT_COUNTED;
  if (api.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, api.latencyMs));
  const { actor, method, rest, path } = call;
  const write = method === "POST" && rest === "/git-receive-pack";
  const key = actorKey(actor);
  const no = api.limits.enter(key, { write, graphql: false, content: write ? 1 : 0 });
  return {
    instead: no ? limited(no) : refused(api, call),
    fault: no ? undefined : api.faults.take({ method, path, graphql: undefined }),
    done: (status) => {
      if (!no) api.limits.leave(key);
      api.calls.add({
        ...{ at: api.world.now(), method, route: `/:owner/:repo${rest}`, path, status },
        actor: actor.kind === "token" ? actor.token.kind : actor.kind,
        ...{ kind: write ? "write" : "read", graphql: undefined },
      });
    },
  };
}
