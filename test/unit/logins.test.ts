/**
 * No right depends on a login, since names change hands. Every comparison of logins is listed here with its purpose.
 */
import { globSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

/** The file, and what the comparison is about. */
const COMPARED: Readonly<Record<string, string>> = {
  "src/actions-mode/affected-jobs.ts": "which comments are this program's own",
  "src/actions-mode/token.ts": "whether a token is a program's",
  "src/engine/dependency-news.ts": "which number a bot must have, beside its login",
  "src/engine/follow-up.ts": "to whom it was said already where a message went",
  "src/engine/denied-people.ts": "people in deliveries of before, which tell no number: a reaction more or less",
  "src/github/events/event-listener.ts": "whether a program has done something, this one among them",
  "src/github/effects/own-brief.ts": "whether a commit names this program, beside its signature or its content",
  "src/github/effects/sync-comment.ts": "which comments are this program's own",
  "src/domain/job/account.ts": "which name an account gets that is new",
  "src/store/lowdb/accounts.ts": "whether somebody is called otherwise now; and whose an account of before is, once",
};

const COMPARISON =
  /sameLogin\(|accountOf\([a-z_.]*login|login[?\w.]*(?:\)|\?)?\s*[!=]==|[!=]==\s*[\w.]*login\b|login\??\.(?:toLowerCase|endsWith|startsWith|includes)/i;
/** Whether there is one at all. */
const PRESENCE = /login[?\w.]*\s*[!=]==\s*(?:null|undefined)/gi;

const code = (file: string): string[] =>
  readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => !/^\s*(?:\/?\*|\/\/|import )/.test(line))
    .map((line) => line.replace(PRESENCE, ""));

it("compares logins in these files alone, and for no right", () => {
  const files = globSync("{src,agent}/**/*.ts").filter((file) => !file.startsWith("test/sandbox/"));
  expect(files.length).toBeGreaterThan(100);
  const found = files.filter((file) => code(file).some((line) => COMPARISON.test(line)));
  expect(found.toSorted()).toEqual(Object.keys(COMPARED).toSorted());
});

it.each([
  "const may = merge.by === job.login;",
  "if (user.login !== account) return;",
  "const same = sameLogin(a, b);",
  "const author = accountOf(pull.user.login);",
  "const known = people.has(login.toLowerCase());",
])("would find %s", (line) => {
  expect(COMPARISON.test(line.replace(PRESENCE, ""))).toBe(true);
});
