/**
 * Combines several Express handlers into one, since Express's layer per handler costs more than most of them. Errors go
 * to Express's error handlers as usual.
 */
import type { NextFunction, Request, RequestHandler, Response } from "express";

export const inTurn =
  (...handlers: readonly RequestHandler[]): RequestHandler =>
  (request, response, leave) =>
    go({ handlers, request, response, leave }, 0);

interface Way {
  readonly handlers: readonly RequestHandler[];
  readonly request: Request;
  readonly response: Response;
  readonly leave: NextFunction;
}

function go(way: Way, index: number): void {
  const { handlers, request, response, leave } = way;
  const handler = handlers[index];
  if (handler === undefined) {
    leave();
    return;
  }
  const ending: unknown = handler(request, response, (problem?: unknown) => {
    if (problem === undefined) go(way, index + 1);
    else leave(problem);
  });
  if (ending instanceof Promise) ending.catch(leave);
}
