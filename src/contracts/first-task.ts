/** What a new user is told to try first. The sandbox's scripted model knows it too. */
export const FIRST_TASK = "Say hello in the README";

const MARK = "<!-- first-job -->";

/** The box in the set-up pull request that says whether its merge begins that job. */
export const firstJobBox = (ticked: boolean): string =>
  `- [${ticked ? "x" : " "}] Begin with \`/job ${FIRST_TASK}\` ${MARK}`;

const BOX = /^[-*] \[([ xX])\] [^\n]*<!-- first-job -->/m;

/** Whether the box of this text is ticked; undefined: it has none. */
export function firstJobTicked(text: string): boolean | undefined {
  const found = BOX.exec(text)?.[1];
  return found === undefined ? undefined : found !== " ";
}
