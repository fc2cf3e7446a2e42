/**
 * Files that people have attached to issues and comments. Their address opens for people who are signed in and for no
 * token; rendered texts hold a signed address of images, which anybody may open for five minutes.
 */
import { randomUUID } from "node:crypto";

const LIFETIME_MS = 5 * 60_000;
export const PLACE = "/user-attachments/assets/";
export const SIGNED_PLACE = "/private-user-images/";

export interface NewAttachment {
  readonly data: Buffer;
  /** As the image host announces it. */
  readonly type?: string;
  /** What the image host does instead of answering with the data. */
  readonly instead?: "hang" | { readonly redirect: string };
}

export class Attachments {
  readonly #url: string;
  readonly #now: () => number;
  readonly #files = new Map<string, NewAttachment>();
  /** Guid and end of each signed address. */
  readonly #signed = new Map<string, { guid: string; until: number }>();

  constructor(url: string, now: () => number) {
    this.#url = url;
    this.#now = now;
  }

  /** The address of a new attachment, as the site writes it into the text. */
  add(file: NewAttachment): string {
    const guid = randomUUID();
    this.#files.set(guid, file);
    return `${this.#url}${PLACE}${guid}`;
  }

  /** The text as GitHub renders it: escaped, with images at signed addresses. */
  render(text: string): string {
    const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
    const known = [...this.#files.keys()].filter((guid) => text.includes(guid));
    return known.reduce((html, guid) => {
      const signed = this.#sign(guid);
      return html.replaceAll(
        `${this.#url}${PLACE}${guid}`,
        `<a target="_blank" rel="noopener noreferrer" href="${signed}"><img src="${signed}" alt="" style="max-width: 100%;"></a>`,
      );
    }, `<p dir="auto">${escaped}</p>`);
  }

  #sign(guid: string): string {
    const token = randomUUID();
    this.#signed.set(token, { guid, until: this.#now() + LIFETIME_MS });
    return `${this.#url}${SIGNED_PLACE}1/2-${guid}.png?jwt=${token}&amp;v=1`;
  }

  /** What a signed address leads to. */
  find(token: string, path: string): NewAttachment | "over" | undefined {
    const signed = this.#signed.get(token);
    if (signed === undefined || !path.includes(signed.guid)) return undefined;
    return signed.until < this.#now() ? "over" : this.#files.get(signed.guid);
  }
}
