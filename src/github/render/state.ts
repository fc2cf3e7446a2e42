/** A job's state as comment and check show it. */
export interface State {
  /** A few words of plain text. */
  readonly headline: string;
  readonly paragraphs: readonly string[];
}

/** Leaves out what is null or empty. */
export const state = (headline: string, ...paragraphs: readonly (string | null)[]): State => ({
  headline,
  paragraphs: paragraphs.filter((text): text is string => text !== null && text !== ""),
});
