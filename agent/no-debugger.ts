/**
 * Replaces Node's SIGUSR1 handler, which opens a debugger: the model's shell could use it to read this process's
 * memory. Must be imported first.
 */
process.on("SIGUSR1", () => {});
