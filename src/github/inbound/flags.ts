/** The flags between `/job` and its task: `--model NAME`, `--no-merge`, `--draft`. A lone `--` ends them. */
import { nearest } from "./typo.ts";

export interface Flags {
  readonly model: string | null;
  readonly no_merge: boolean;
  readonly draft: boolean;
}

export type FlagsRead =
  | {
      readonly ok: true;
      readonly flags: Flags;
      /** Any flag at all. */
      readonly given: boolean;
      /** A lone `--` says that what follows is the task, whatever it looks like. */
      readonly literal: boolean;
      readonly rest: string;
    }
  | { readonly ok: false; readonly sentence: string };

const NAMES = ["model", "no-merge", "draft"] as const;
const MODEL_NAME = /^[\w.:/@-]{1,100}$/;

/** Spaces of a line, not its end: a flag stands on the line of its command. */
const GAP = "[^\\S\\n]*";

/** Phones turn two dashes into one long dash. */
const FLAG = new RegExp(`^${GAP}(?:--|[\u2013\u2014])([a-z][^\\s=]*)(?:=(\\S*))?(?=\\s|$)`, "i");
const END_OF_FLAGS = new RegExp(`^${GAP}(?:--|[\u2013\u2014])(?=\\s|$)`);
const VALUE = new RegExp(`^${GAP}(\\S+)`);
const ONE_DASH = new RegExp(`^${GAP}-(${NAMES.join("|")})(?=[\\s=]|$)`, "i");
const AFTER_TASK = /\s--(?:no-merge|draft|model(?:=\S*|[^\S\n]+\S+)?)$/i;

const ALL = "`--model NAME`, `--no-merge` and `--draft`";

const mistake = (sentence: string): FlagsRead => ({ ok: false, sentence });

/** A foreign word as it may be repeated between backticks. */
const shown = (word: string): string => word.replace(/[^\w-]/g, "").slice(0, 40);

function unknown(name: string): FlagsRead {
  const meant = nearest(name, NAMES);
  const guess = meant === null ? "" : ` Did you mean \`--${meant}\`?`;
  return mistake(
    `\`--${shown(name)}\` is not a flag of \`/job\`.${guess} The flags are ${ALL}; a task that itself begins with two dashes goes after a lone \`--\`.`,
  );
}

export function readFlags(text: string): FlagsRead {
  let flags: Flags = { model: null, no_merge: false, draft: false };
  let rest = text;
  let given = false;
  for (let match = FLAG.exec(rest); match !== null; match = FLAG.exec(rest)) {
    const [whole, name = "", joined] = match;
    given = true;
    rest = rest.slice(whole.length);
    switch (name.toLowerCase()) {
      case "draft":
      case "no-merge":
        if (joined !== undefined)
          return mistake(`\`--${name}\` takes no value: leave out everything from the \`=\` on.`);
        flags = name.toLowerCase() === "draft" ? { ...flags, draft: true } : { ...flags, no_merge: true };
        break;
      case "model": {
        const apart = joined === undefined ? VALUE.exec(rest) : null;
        const model = joined ?? apart?.[1] ?? "";
        if (!MODEL_NAME.test(model) || model.startsWith("-")) {
          return mistake(
            "`--model` needs the name of a model after it, e.g. `/job --model claude-sonnet-4-20250514 fix the login`.",
          );
        }
        rest = rest.slice(apart?.[0].length ?? 0);
        flags = { ...flags, model };
        break;
      }
      default:
        return unknown(name);
    }
  }
  const ended = END_OF_FLAGS.exec(rest);
  if (ended !== null) return { ok: true, flags, given, literal: true, rest: rest.slice(ended[0].length) };
  const single = ONE_DASH.exec(rest);
  if (single !== null) return mistake(`Did you mean \`--${single[1]?.toLowerCase()}\`, with two dashes?`);
  // Taken as words of the task, a flag would be lost without a word, and `--no-merge` is not to be lost.
  if (AFTER_TASK.test((rest.split("\n", 1)[0] ?? "").trimEnd())) {
    return mistake(
      `Flags stand before the task: \`/job --no-merge fix the login\`. If the task is about such a flag, put it in backticks.`,
    );
  }
  return { ok: true, flags, given, literal: false, rest };
}
