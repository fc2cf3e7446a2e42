/**
 * Accounts: whose jobs, keys and money something is. People on GitHub and keys share one space of names, and this file
 * alone says which name is whose. Accounts are written in lower case, since GitHub compares logins without regard to it.
 */

/** The account of `API_KEY`: no other key is minted for it, and nobody gets it by a name on GitHub. */
export const ADMIN_ACCOUNT = "admin";

/** Where the person on GitHub goes whose login is {@link ADMIN_ACCOUNT}: no login has an `@`, and no key is asked for so. */
const ADMIN_OF_GITHUB = "admin@github";

/** The one spelling of an account's name. */
export const accountNamed = (name: string): string => name.toLowerCase();

/** Is this account that one? Nobody is none. */
export const isAccount = (account: string | null, that: string): boolean =>
  account !== null && accountNamed(account) === accountNamed(that);

/** A GitHub App; no login of a person holds a bracket. */
export const isProgram = (login: string): boolean => login.endsWith("[bot]");

/** The account of a person on GitHub. */
export function accountOf(login: string): string {
  const account = accountNamed(login);
  return account === ADMIN_ACCOUNT ? ADMIN_OF_GITHUB : account;
}
