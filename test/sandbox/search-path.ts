/** Finds git, bash and node for the sandbox. */
export const searchPath = (): string => process.env.PATH ?? "/usr/local/bin:/usr/bin:/bin";
