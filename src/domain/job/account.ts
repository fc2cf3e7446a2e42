/**
 * Accounts: the owners of jobs, keys and money. People on GitHub and API keys share one namespace, and only this file
 * assigns names in it. Names are in lower case, since GitHub ignores case in logins. An account belongs to the person's
 * GitHub number, even after the login changes.
 */

/** The account of `API_KEY`: no other key is created for it, and nobody gets it by a name on GitHub. */
export const ADMIN_ACCOUNT = "admin";

/** Where the person on GitHub goes whose login is {@link ADMIN_ACCOUNT}: no login has an `@`, and no key is asked for so. */
const ADMIN_OF_GITHUB = "admin@github";

/** The one spelling of an account's name. */
export const accountNamed = (name: string): string => name.toLowerCase();

/** Same account? `null` never matches. */
export const isAccount = (account: string | null, that: string): boolean =>
  account !== null && accountNamed(account) === accountNamed(that);

/** The account of jobs that a repository starts by itself: nobody's, since no login has an `@`. */
export const accountOfRepository = (id: number): string => `repository@${id}`;

/** The account that a person on GitHub gets who comes first under this login. */
export function accountOf(login: string): string {
  const account = accountNamed(login);
  return account === ADMIN_ACCOUNT ? ADMIN_OF_GITHUB : account;
}

/** The account of somebody whose login is that of an account which belongs to somebody else: no login has an `@`. */
export const accountApart = (login: string, id: number): string => `${accountNamed(login)}@${id}`;
