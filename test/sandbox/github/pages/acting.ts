/**
 * The acting user of the site: visitors may choose any account, which a cookie remembers. REST's own rules decide what
 * that user may do.
 */
import { roleOf } from "../access.ts";
import type { Repository, User } from "../model.ts";
import type { World } from "../world.ts";

const COOKIE = "acting-as";

export interface Person {
  readonly user: User;
  /** Their permission in one word. */
  readonly role: string;
}

const WORDS: Readonly<Record<string, string>> = {
  admin: "owner",
  maintain: "maintainer",
  write: "may write",
  triage: "may triage",
  read: "may only read",
  none: "no access",
};

/** By permission, highest first; people without access last. */
export function peopleOf(world: World, repository: Repository | undefined): Person[] {
  const users = [...world.state.users.values()].filter(({ type, login }) => type === "User" && login !== "web-flow");
  if (repository === undefined) return users.map((user) => ({ user, role: "" }));
  const known = (user: User): boolean =>
    user.id === repository.owner.id || repository.collaborators.has(user.login.toLowerCase());
  return users
    .map((user) => ({ user, role: known(user) ? (WORDS[roleOf(repository, user.login)] ?? "") : "stranger" }))
    .sort((a, b) => Number(known(b.user)) - Number(known(a.user)));
}

const WRITERS = ["may write", "maintainer", "owner"];

/** The user of the cookie, or by default one with write access. */
export function actingPerson(people: readonly Person[], cookies: string | undefined): Person | undefined {
  const pairs = (cookies ?? "").split(";").map((pair) => pair.trim().split("="));
  const login = pairs.find(([name]) => name === COOKIE)?.[1];
  return (
    people.find(({ user }) => user.login === login) ?? people.find(({ role }) => WRITERS.includes(role)) ?? people[0]
  );
}

export const actingCookie = (login: string): string => `${COOKIE}=${login}; Path=/; SameSite=Strict; HttpOnly`;
