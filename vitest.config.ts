import { defineConfig } from "vitest/config";

const reach = (name: string, limits: { testTimeout: number; maxWorkers?: number }) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], hookTimeout: limits.testTimeout, ...limits },
});

/** One project per reach: what a test may touch, and how long it may wait for a condition on a slow machine. */
export default defineConfig({
  test: {
    maxWorkers: 4,
    projects: [
      reach("unit", { testTimeout: 30_000 }),
      reach("contract", { testTimeout: 60_000 }),
      reach("flows", { testTimeout: 90_000 }),
      reach("process", { testTimeout: 120_000 }),
    ],
  },
});
