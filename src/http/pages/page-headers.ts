/** Headers of the App's own pages with a form: nothing is loaded but the one style, and forms lead only to the named places. */
import type { RequestHandler } from "express";
import helmet from "helmet";
import { STYLE_SOURCE } from "./frame.ts";

/** `forms`: origins that a form may lead to beside our own. */
export const formPageHeaders = (forms: readonly string[], referrer: "same-origin" | "strict-origin"): RequestHandler =>
  helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        "default-src": ["'none'"],
        "style-src": [STYLE_SOURCE],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        // browsers hold the redirects that follow a form to this, too
        "form-action": ["'self'", ...forms],
      },
    },
    referrerPolicy: { policy: referrer },
  });
