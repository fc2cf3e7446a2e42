/** `npm start`: the server. */
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { serve } from "./main/serve.ts";

// Of what is loaded from here on, so that the next start is quicker. Inside of the program's own folder, never in one
// for temporary files: who can write to it decides what runs. Where it cannot be written, nothing is kept.
const kept = import.meta.filename.endsWith(".ts") ? "../node_modules/.cache/compiled" : "compiled";
enableCompileCache({ directory: join(import.meta.dirname, kept), portable: true });

await serve();
