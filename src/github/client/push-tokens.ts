/**
 * Issues tokens with which runs push: installation tokens for one repository with `contents: write` only. Created on
 * request and not stored. GitHub rejects a push below `.github/workflows` with such a token.
 */
import * as z from "zod";
import { Secret } from "../../contracts/secret.ts";
import type { PushTokens } from "../../engine/ports/runs.ts";
import { UnreadableAnswer } from "./errors.ts";
import type { OctokitSource } from "./octokit.ts";

const answerSchema = z.object({
  token: z.string().min(1),
  expires_at: z.string(),
  permissions: z.record(z.string(), z.string()),
  repositories: z.array(z.object({ id: z.number() })),
});

const PERMISSIONS = { contents: "write" } as const;
/** GitHub adds this permission to every token. */
const IMPLIED = "metadata";

/** Whether the token can do exactly what was requested; a broader one is not passed on. */
function isNarrow({ permissions, repositories }: z.infer<typeof answerSchema>, repository_id: number): boolean {
  const granted = Object.keys(permissions).filter((name) => name !== IMPLIED);
  return granted.join() === "contents" && repositories.map(({ id }) => id).join() === String(repository_id);
}

export function createPushTokens(source: Pick<OctokitSource, "app">): PushTokens {
  return {
    async create({ installation_id }, repository_id) {
      const app = await source.app();
      const { data } = await app.request("POST /app/installations/{installation_id}/access_tokens", {
        installation_id,
        repository_ids: [repository_id],
        permissions: PERMISSIONS,
      });
      const parsed = answerSchema.safeParse(data);
      if (!parsed.success || !isNarrow(parsed.data, repository_id)) throw new UnreadableAnswer("of a token");
      return { token: new Secret(parsed.data.token), expires_at: parsed.data.expires_at };
    },
  };
}
