/** Identifies a comment: GitHub numbers issue comments, line comments of pull requests and reviews separately. */
import * as z from "zod";

/** A number: of a comment on an issue or pull request, as in every record of before. A review goes by its GraphQL id. */
export const commentIdSchema = z.union([
  z.number().int(),
  z.templateLiteral(["review-comment:", z.number().int()]),
  z.templateLiteral(["review:", z.string()]),
]);

export type CommentId = z.infer<typeof commentIdSchema>;
