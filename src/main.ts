/** `npm start`: the server. */
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { serve } from "./serve.ts";

// of what is loaded from here on, so a second start is quicker; beside the packages, since who can write there can
// change the program anyhow
enableCompileCache({ directory: join(import.meta.dirname, "..", "node_modules", ".cache", "compile"), portable: true });

await serve();
