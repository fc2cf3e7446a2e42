/** Connections: pages of nodes with cursors, and GitHub's rules for asking. */
import { GraphQLError } from "graphql";
import * as z from "zod";

const PAGE_LIMIT = 100;
const pageArguments = z.looseObject({
  first: z.number().int().nullish(),
  last: z.number().int().nullish(),
  after: z.string().nullish(),
  before: z.string().nullish(),
});

const cursorOf = (index: number) => Buffer.from(`cursor:v2:${index}`).toString("base64");
const indexOf = (cursor: string) => Number(Buffer.from(cursor, "base64").toString().split(":").at(-1));

export function connection<T>(name: string, items: readonly T[], args: unknown, more: Record<string, unknown> = {}) {
  const { first, last, after, before } = pageArguments.parse(args);
  const size = first ?? last;
  if (size === null || size === undefined)
    throw new GraphQLError(
      `You must provide a \`first\` or \`last\` value to properly paginate the \`${name}\` connection.`,
      {
        extensions: { type: "MISSING_PAGINATION_BOUNDARIES" },
      },
    );
  if (size > PAGE_LIMIT)
    throw new GraphQLError(
      `Requesting ${size} records on the \`${name}\` connection exceeds the \`first\` limit of ${PAGE_LIMIT} records.`,
      {
        extensions: { type: "EXCESSIVE_PAGINATION" },
      },
    );
  const low = after ? indexOf(after) + 1 : 0;
  const high = before ? indexOf(before) : items.length;
  const start = first === null || first === undefined ? Math.max(low, high - size) : low;
  const end = Math.min(high, start + size);
  const nodes = items.slice(start, end);
  return {
    ...more,
    totalCount: items.length,
    nodes,
    edges: nodes.map((node, index) => ({ node, cursor: cursorOf(start + index) })),
    pageInfo: {
      hasNextPage: end < items.length,
      hasPreviousPage: start > 0,
      startCursor: nodes.length > 0 ? cursorOf(start) : null,
      endCursor: nodes.length > 0 ? cursorOf(end - 1) : null,
    },
  };
}
