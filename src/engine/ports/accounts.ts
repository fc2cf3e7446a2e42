/** People on GitHub and their accounts. */

/** A GitHub user: a permanent number and the current login. */
export interface GitHubPerson {
  readonly id: number;
  readonly login: string;
}

/** The owner of an account. */
export interface AccountHolder extends GitHubPerson {
  readonly account: string;
}

/** Accounts belong to GitHub numbers. Logins change hands: a new holder of a known login gets a separate account. */
export interface AccountStore {
  /** The account of this person, existing or future. */
  of(person: GitHubPerson): Promise<string>;
  /** Assigns it permanently, on the disk. `first`: this number was new. */
  tie(person: GitHubPerson): Promise<{ readonly account: string; readonly first: boolean }>;
  /** Null when the account has no owner on GitHub yet. */
  holder(account: string): Promise<AccountHolder | null>;
}
