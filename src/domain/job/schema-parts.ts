/** What the parts of a job's shape are made of. Times are milliseconds since the epoch, money is integer US cents. */
import * as z from "zod";
import { MAX_NOTE, MAX_NOTES } from "../../contracts/result.ts";
import type { RepositorySettings } from "../../contracts/settings.ts";

type Plain = string | number | boolean | null | undefined | RepositorySettings;

/** What a job holds is never changed in place. */
type Immutable<T> = T extends Plain
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Immutable<Item>[]
    : { readonly [Name in keyof T]: Immutable<T[Name]> };

export type Shape<Schema extends z.ZodType> = Immutable<z.output<Schema>>;

export const time = z.number();
export const count = z.number().int().nonnegative();
export const number = z.number().int().positive();
export const text = z.string();
export const words = text.nullable();
export const sha = z.string();
export const notes = z.array(z.string().max(MAX_NOTE)).max(MAX_NOTES);

/** Null in a new job. */
export const unset = <Schema extends z.ZodType>(schema: Schema) => schema.nullable().default(null);
/** Empty in a new job. */
export const list = <Schema extends z.ZodType>(schema: Schema) => z.array(schema).default([]);

export const runRef = z.object({ id: number, attempt: number });
