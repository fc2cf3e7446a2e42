/** Log lines as plain progress on stdout, which a runner reads too. They must not speak its commands, whatever they say. */

/** The rows of a text, each harmless. */
export const plainRows = (text: string): string[] => text.split("\n").map((row) => `agent | ${harmless(row)}`);

/** `::name::` at the start of a line and `##[name]` anywhere are commands to the runner. */
export function harmless(row: string): string {
  const broken = row.replaceAll("##[", "## [").replaceAll("\r", " ");
  return /^\s*::/.test(broken) ? `> ${broken}` : broken;
}
