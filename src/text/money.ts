/** Cents as dollars; small amounts keep enough digits to differ from zero. */
export const money = (cents: number): string =>
  cents > 0 && cents < 1 ? "less than $0.01" : `$${(cents / 100).toFixed(2)}`;
