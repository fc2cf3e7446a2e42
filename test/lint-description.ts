/**
 * Lints the served API description by the rules of common OpenAPI tools. Run by `npm run lint`; prints every finding
 * and exits with 1 when there is one.
 */
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { startServer } from "./contract/http-server.ts";

const config = await createConfig({
  extends: ["recommended-strict"],
  rules: {
    "no-unused-components": "error",
    "no-invalid-schema-examples": "error",
    "no-invalid-parameter-examples": "error",
    "operation-description": "error",
    "tag-description": "error",
    // whoever asks without a key, a parameter and a body cannot be wrong
    "operation-4xx-response": "off",
  },
});
const server = await startServer();
try {
  const answer = await fetch(`${server.url}/api/openapi.json`);
  const source = JSON.stringify(await answer.json(), null, 2);
  const findings = await lintFromString({ source, absoluteRef: "/openapi.json", config });
  for (const { severity, ruleId, message, location } of findings) {
    console.error(`${severity} ${ruleId} at ${location[0]?.pointer ?? "?"}: ${message}`);
  }
  if (findings.length > 0) process.exitCode = 1;
} finally {
  await server.close();
}
