/**
 * Estimates a job without a model, from the length and words of the prompt; deterministic. Callers must label it as a
 * rule of thumb.
 */

import { titleOf } from "../domain/job/title.ts";
import { limitWithin, priceWithin, skillsNamed } from "../domain/market/bounds.ts";
import type { Estimator } from "../engine/ports/estimates.ts";

const BASE_CENTS = 300;
const CENTS_PER_WORD = 4;
const BASE_SECONDS = 30 * 60;
const SECONDS_PER_WORD = 20;

/** A skill, and the words in a prompt that indicate it. */
const SKILLS: Readonly<Record<string, RegExp>> = {
  typescript: /\b(?:typescript|tsx?)\b/i,
  javascript: /\b(?:javascript|node(?:\.?js)?|jsx?)\b/i,
  python: /\bpython\b/i,
  go: /\b(?:golang|go (?:module|code|service|program))\b/i,
  rust: /\b(?:rust|cargo)\b/i,
  java: /\b(?:java|kotlin|jvm)\b/i,
  ruby: /\b(?:ruby|rails)\b/i,
  php: /\b(?:php|laravel)\b/i,
  shell: /\b(?:bash|shell script|zsh)\b/i,
  sql: /\b(?:sql|postgres(?:ql)?|mysql|sqlite)\b/i,
  html: /\b(?:html|css|web ?page|website)\b/i,
  docker: /\b(?:docker(?:file)?|container|kubernetes)\b/i,
  testing: /\b(?:tests?|testing|coverage)\b/i,
  documentation: /\b(?:documentation|docs|readme|changelog)\b/i,
  research: /\b(?:research|investigate|history of|compare)\b/i,
  writing: /\b(?:essay|article|blog|report|summar(?:y|i[sz]e))\b/i,
  data: /\b(?:data(?:set)?|csv|spreadsheet|statistics)\b/i,
  design: /\b(?:design|logo|mock-?up|figma)\b/i,
  translation: /\b(?:translat(?:e|ion))\b/i,
};

const NEUTRAL_REQUIREMENTS = "Do what the description asks for, whole, and say what was done and how it was checked.";

const wordsIn = (text: string): number => text.split(/\s+/).filter((word) => word !== "").length;

const skillsIn = (prompt: string): string[] =>
  skillsNamed(Object.keys(SKILLS).filter((skill) => SKILLS[skill]?.test(prompt) === true));

/** Rounded, so that it reads as an estimate. */
const rounded = (value: number, step: number): number => Math.ceil(value / step) * step;

export const deterministicEstimator: Estimator = {
  async estimate({ prompt, price_cents, time_limit_seconds }) {
    const words = wordsIn(prompt);
    const skills = skillsIn(prompt);
    const asked = skills.length === 0 ? "" : ` Skills that it asks for: ${skills.join(", ")}.`;
    return {
      title: titleOf(prompt),
      description: prompt.trim(),
      requirements: `${NEUTRAL_REQUIREMENTS}${asked}`,
      skills,
      price_cents: priceWithin(price_cents ?? rounded(BASE_CENTS + words * CENTS_PER_WORD, 50)),
      time_limit_seconds: limitWithin(time_limit_seconds ?? rounded(BASE_SECONDS + words * SECONDS_PER_WORD, 300)),
      by: "estimate",
    };
  },
};
