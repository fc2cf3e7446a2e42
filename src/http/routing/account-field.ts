/** The name of an account that an admin writes, in a body or an address. */
import * as z from "zod";
import { accountNamed } from "../../domain/job/account.ts";

const WRONG = { error: () => "must name an account, as a GitHub login." };

/** Of a login, or of another account: with an `@` (`src/domain/job/account.ts`). */
export const accountField = z
  .string({ error: () => "must be a string." })
  .regex(/^[A-Za-z0-9@](?:[A-Za-z0-9@_-]{0,48}[A-Za-z0-9])?$/, WRONG)
  .transform(accountNamed);
