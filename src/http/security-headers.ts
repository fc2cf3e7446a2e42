/**
 * What every answer that is data carries: it is to be neither sniffed, framed, run nor read by other sites' pages. By
 * hand and few, since a general set of headers costs a twentieth of a status read; the pages have helmet's.
 */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "X-Content-Type-Options": "nosniff",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Strict-Transport-Security": "max-age=31536000",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Frame-Options": "DENY",
};

/** The same as `writeHead` takes it, one after the other. */
export const RAW_SECURITY_HEADERS: readonly string[] = Object.entries(SECURITY_HEADERS).flat();
