/** Answers addresses that cannot be decoded with 400: a stray `%` is the caller's mistake, not the server's. */
import type { ErrorRequestHandler } from "express";
import { failure, send } from "../routing/answer.ts";

export const addressErrors: ErrorRequestHandler = (error, request, response, next) => {
  if (!(error instanceof URIError)) next(error);
  else send(request, response, failure(400, "invalid_field", "The address has a % that begins no character; mend it."));
};
