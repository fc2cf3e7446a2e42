/** docs/operations.md says what the code says. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { PERMANENT_ERRORS } from "../../src/contracts/result.ts";
import { FAILURE_CODES, LOG_FIELDS } from "../../src/domain/job/log-fields.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/operations.md"), "utf8");

/** The rows of the table under this head. */
function rowsUnder(head: string): string[][] {
  const [, table = ""] = PAGE.split(`| ${head} |\n`);
  const [rows = ""] = table.split("\n\n");
  return rows
    .trim()
    .split("\n")
    .slice(1)
    .map((row) => row.slice(2, -2).split(" | "));
}

it("lists every field of the log's lines", () => {
  expect(rowsUnder("field | what it says")).toEqual(
    Object.entries(LOG_FIELDS).map(([field, meaning]) => [`\`${field}\``, meaning]),
  );
});

it("lists why a try or a job fails", () => {
  expect(rowsUnder("command | error_code")).toEqual(
    Object.entries(FAILURE_CODES).map(([command, code]) => [`\`${command}\``, `\`${code}\``]),
  );
  for (const code of PERMANENT_ERRORS) expect(PAGE).toContain(`\`${code}\``);
});
