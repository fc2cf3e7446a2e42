/**
 * `npm run image`: builds both images and proves of them what is promised, on whatever engine this machine has. Not part
 * of `npm test`, since it needs one. Exits with 1 at the first proof that fails.
 */
import { proveAgent } from "./agent-proofs.ts";
import { proveApp } from "./app-proofs.ts";
import { findEngine, type Prove } from "./engine.ts";
import { proveFence } from "./fence-proofs.ts";
import { TARGETS } from "./images.ts";

const prove: Prove = async (what, proof) => {
  const since = Date.now();
  await proof();
  console.log(`ok  ${what} (${((Date.now() - since) / 1_000).toFixed(1)} s)`);
};

const engine = findEngine();
console.log(`With ${engine.name}, which does not show: ${engine.leaves}.`);
try {
  for (const target of TARGETS) await prove(`the target ${target} builds`, async () => engine.build(target));
  await proveApp(engine, prove);
  await proveAgent(engine, prove);
  if (engine.fenced !== null) await proveFence(engine.fenced, prove);
  for (const target of TARGETS) console.log(`    ${target}: ${Math.round(engine.size(target) / 1e6)} MB`);
} finally {
  engine.close();
}
