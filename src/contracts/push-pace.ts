/** How many pushes a minute GitHub advises for one repository, at most (github-facts 14.1). */
export const PUSHES_PER_MINUTE = 6;
