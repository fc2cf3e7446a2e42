/** The market's limits on prices, time limits, skills and attachments. */

export const PRICE_CENTS = { least: 100, most: 100_000 } as const;
export const TIME_LIMIT_SECONDS = { least: 60, most: 86_400 } as const;

export const MOST_SKILLS = 20;
export const LONGEST_SKILL = 40;

const clamp = (value: number, { least, most }: { readonly least: number; readonly most: number }): number =>
  Math.min(most, Math.max(least, Math.round(value)));

export const priceWithin = (cents: number): number => clamp(cents, PRICE_CENTS);
export const limitWithin = (seconds: number): number => clamp(seconds, TIME_LIMIT_SECONDS);

/** The one spelling of skills, each once; what is too long or too many is left out. */
export const skillsNamed = (names: readonly string[]): string[] => {
  const spelled = names.map((name) => name.trim().toLowerCase().replace(/\s+/g, " "));
  return [...new Set(spelled)].filter((name) => name !== "" && name.length <= LONGEST_SKILL).slice(0, MOST_SKILLS);
};
