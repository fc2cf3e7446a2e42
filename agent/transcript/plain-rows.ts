/**
 * Formats log lines as plain progress on stdout, where the runner would obey its own commands: their syntax is broken
 * up.
 */

/** The rows of a text, without runner commands. */
export const plainRows = (text: string): string[] =>
  text.split("\n").map((row) => `agent | ${escapeRunnerCommands(row)}`);

/** The runner obeys `::name::` at the start of a line and `##[name]` anywhere. */
export function escapeRunnerCommands(row: string): string {
  const broken = row.replaceAll("##[", "## [").replaceAll("\r", " ");
  return /^\s*::/.test(broken) ? `> ${broken}` : broken;
}
