/** Counted things in words: every sentence with a number takes them from here, so that one of them reads as one. */
export const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;
