/** Where the sandbox finds git, bash and node. */
export const searchPath = (): string => process.env.PATH ?? "/usr/local/bin:/usr/bin:/bin";
