/** People on GitHub and the accounts that belong to them. */

/** Somebody on GitHub: the number for ever, the name as it is now. */
export interface GitHubPerson {
  readonly id: number;
  readonly login: string;
}

/** Who an account belongs to. */
export interface AccountHolder extends GitHubPerson {
  readonly account: string;
}

/** Accounts hang on GitHub's numbers of people. Names change hands: whoever takes a known one gets an account apart. */
export interface AccountStore {
  /** The account of this person, or the one that they would get. */
  of(person: GitHubPerson): Promise<string>;
  /** The same for good, on the disk. `first`: this number was not known before. */
  tie(person: GitHubPerson): Promise<{ readonly account: string; readonly first: boolean }>;
  /** Null: nobody on GitHub has come for it yet. */
  holder(account: string): Promise<AccountHolder | null>;
}
