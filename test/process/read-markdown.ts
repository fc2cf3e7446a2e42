/** Reads the project's own Markdown for tests: fences by their info string, tables by their head, curl as a request. */
import { readFileSync } from "node:fs";

const ROOT = new URL("../../", import.meta.url);

export const pathOf = (name: string): string => new URL(name, ROOT).pathname;
export const textOf = (name: string): string => readFileSync(new URL(name, ROOT), "utf8");

export interface Fence {
  readonly info: string;
  readonly text: string;
}

/** All fences in order, those in lists too; `info` as written behind the backticks. */
export function fencesOf(markdown: string): Fence[] {
  return [...markdown.matchAll(/^( *)```([^\n`]*)\n([\s\S]*?)^\1```$/gm)].map(
    ([, indent = "", info = "", text = ""]) => ({
      info: info.trim(),
      text: text.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
    }),
  );
}

/** The text of the one fence that is marked so. */
export function fenceOf(markdown: string, info: string): string {
  const [found, ...more] = fencesOf(markdown).filter((one) => one.info === info);
  if (found === undefined || more.length > 0) throw new Error(`not one fence alone is marked as ${info}`);
  return found.text;
}

/** The rows of the table whose first column is called so, each as its cells. Throws when there is none. */
export function tableOf(markdown: string, first: string): string[][] {
  const lines = markdown.split("\n");
  const head = lines.findIndex(
    (line, index) => cellsOf(line)[0] === first && (lines[index + 1] ?? "").startsWith("| -"),
  );
  if (head < 0) throw new Error(`there is no table that begins with ${first}`);
  const end = lines.findIndex((line, index) => index > head && !line.startsWith("|"));
  return lines.slice(head + 2, end).map(cellsOf);
}

const cellsOf = (line: string): string[] =>
  line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());

/** What stands between single backticks. */
export const codeOf = (text: string): string[] => [...text.matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code);

/** The words of one shell command: quotes, line continuations and `$NAME`; anything cleverer is not for a README. */
export function shellWords(command: string, variables: Readonly<Record<string, string>>): string[] {
  const expanded = (text: string): string =>
    text.replace(/\$([A-Z_]+)/g, (_, name: string) => {
      const value = variables[name];
      if (value === undefined) throw new Error(`$${name} has no value here`);
      return value;
    });
  const words: string[] = [];
  const pattern = /(?:'[^']*'|"[^"]*"|[^\s'"\\])+/g;
  for (const [word] of command.replace(/\\\n/g, " ").matchAll(pattern)) {
    words.push(
      word.replace(/'([^']*)'|"([^"]*)"|([^'"]+)/g, (_, single?: string, double?: string, bare?: string) =>
        single !== undefined ? single : expanded(double ?? bare ?? ""),
      ),
    );
  }
  return words;
}

export interface CurlRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string | null;
}

/** A curl command as the request that it sends, so that it is run without curl. Unknown options are an error. */
export function curlRequest(command: string, variables: Readonly<Record<string, string>>): CurlRequest {
  const [program, ...words] = shellWords(command.trim(), variables);
  if (program !== "curl") throw new Error(`not a curl command: ${command}`);
  const headers: Record<string, string> = {};
  let [method, url, body]: [string | null, string, string | null] = [null, "", null];
  while (words.length > 0) {
    const word = words.shift() ?? "";
    if (word === "-sS") continue;
    if (word === "-X") method = words.shift() ?? "";
    else if (word === "-d") body = words.shift() ?? "";
    else if (word === "-H") {
      const [name = "", ...value] = (words.shift() ?? "").split(":");
      headers[name.toLowerCase()] = value.join(":").trim();
    } else if (word.startsWith("-")) throw new Error(`an option that this test does not know: ${word}`);
    else url = word;
  }
  return { method: method ?? (body === null ? "GET" : "POST"), url, headers, body };
}
