/**
 * Finds the addresses of files that people attach to issues and comments (github-facts 15). A text names a file by an
 * address that no token opens; the HTML that GitHub renders of it has another one with the same guid, which anybody may
 * open for five minutes.
 */

export interface Attachment {
  readonly address: string;
  /** Null for a file that is no image, which only a person can open. */
  readonly guid: string | null;
}

const ADDRESS = /https?:\/\/[^\s<>"'()[\]\\`]+/g;
/** Longer addresses are none of GitHub's. */
const MAX_ADDRESS = 2_000;
const GUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
/** Today's addresses, those of 2023, and those of GitHub Enterprise Server. */
const UPLOADED = new RegExp(
  `^/(?:user-attachments/assets|[\\w.-]+/[\\w.-]+/assets/\\d+|storage/user/\\d+/files)/(${GUID})$`,
  "i",
);
const FILE = /^\/(?:user-attachments\/files|[\w.-]+\/[\w.-]+\/files)\/\d+\/[^/]+$/;
const LAST_GUID = new RegExp(`(?:^|[/-])(${GUID})(?:\\.[a-z0-9]{1,8})?$`, "i");
/** Its images are public and keep their address. */
const OLD_HOST = "user-images.githubusercontent.com";

const parse = (address: string): URL | null => (address.length > MAX_ADDRESS ? null : URL.parse(address));

const guidAtEnd = ({ pathname }: URL): string | null => LAST_GUID.exec(pathname)?.[1]?.toLowerCase() ?? null;

/** Each once, in the order of the text. `web`: where GitHub's pages are. */
export function attachmentsIn(text: string, web: URL): Attachment[] {
  const found = new Map<string, Attachment>();
  for (const [raw] of text.matchAll(ADDRESS)) {
    const url = parse(raw.replace(/[.,;:!?*_~|]{1,3}$/, ""));
    if (url === null || found.has(url.href)) continue;
    const uploaded = url.host === web.host ? (UPLOADED.exec(url.pathname)?.[1] ?? null) : null;
    const guid = uploaded?.toLowerCase() ?? (url.host === OLD_HOST ? guidAtEnd(url) : null);
    if (guid !== null || (url.host === web.host && FILE.test(url.pathname)))
      found.set(url.href, { address: url.href, guid });
  }
  return [...found.values()];
}

/** Where GitHub keeps images: its two hosts, or for a server of one's own that and the names below it. */
function isImageHost(url: URL, web: URL): boolean {
  if (url.username !== "" || url.password !== "") return false;
  if (web.host !== "github.com") return url.protocol === web.protocol && isBelow(url, web);
  const known = url.host === OLD_HOST || url.host === "private-user-images.githubusercontent.com";
  return known && url.protocol === "https:";
}

const isBelow = (url: URL, web: URL): boolean =>
  url.host === web.host || (url.port === web.port && url.hostname.endsWith(`.${web.hostname}`));

/** The addresses of images by their guid, from HTML that GitHub has rendered; of several, the first that is signed. */
export function imageAddressesIn(html: string, web: URL): Map<string, URL> {
  const found = new Map<string, URL>();
  for (const [raw] of html.matchAll(ADDRESS)) {
    const url = parse(raw.replaceAll("&amp;", "&"));
    if (url === null || !isImageHost(url, web)) continue;
    const guid = guidAtEnd(url);
    const known = guid === null ? undefined : found.get(guid);
    if (guid !== null && (known === undefined || (known.search === "" && url.search !== ""))) found.set(guid, url);
  }
  return found;
}
