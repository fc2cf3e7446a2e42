/**
 * Several handlers as one: Express matches and times a layer for each handler of a route, which costs more than what
 * most of ours do. An error, thrown or handed on, goes to Express's error handlers as usual.
 */
import type { NextFunction, RequestHandler } from "express";

export const inTurn =
  (...handlers: readonly RequestHandler[]): RequestHandler =>
  (request, response, leave) => {
    const from = (index: number, error?: unknown): void => {
      const handler = handlers[index];
      if (error !== undefined || handler === undefined) {
        leave(error);
        return;
      }
      const next: NextFunction = (problem?: unknown) => from(index + 1, problem);
      const ending: unknown = handler(request, response, next);
      if (ending instanceof Promise) ending.catch(leave);
    };
    from(0);
  };
