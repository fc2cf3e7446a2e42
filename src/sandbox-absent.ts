/** Stands for the sandbox in the bundled server, which is shipped without it. */
export async function runSandbox(): Promise<number> {
  process.stderr.write("The sandbox is not part of this build; run it from the sources: npm run sandbox\n");
  return 1;
}
