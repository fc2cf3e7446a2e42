/**
 * What every answer that is data carries: it is to be neither sniffed, framed, run nor read by other sites' pages. Those
 * of helmet's headers that mean something for data, and no more, since its whole set costs a twentieth of a status read;
 * the pages, which load and link, have all of it.
 */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "X-Content-Type-Options": "nosniff",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Strict-Transport-Security": "max-age=31536000",
  "Cross-Origin-Resource-Policy": "same-origin",
  "X-Frame-Options": "DENY",
};

/** The same as `writeHead` takes it, one after the other. */
export const RAW_SECURITY_HEADERS: readonly string[] = Object.entries(SECURITY_HEADERS).flat();
