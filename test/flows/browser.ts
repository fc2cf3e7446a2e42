/** The parts of a browser that signing in needs: cookies, redirects, forms. */

interface Cookie {
  readonly value: string;
  readonly path: string;
  readonly http_only: boolean;
}

export interface Visit {
  readonly url: URL;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface Browser {
  /** Cookies by host and name; a test may take one away or put another in. */
  readonly jar: Map<string, Cookie>;
  /** Every `Set-Cookie` so far. */
  readonly set: string[];
  /** Follows redirects until `stop` says that this address is as far as it should go. */
  get(url: string, stop?: (next: URL) => boolean): Promise<Visit>;
  post(url: string, form: Form, stop?: (next: URL) => boolean): Promise<Visit>;
}

export type Form = readonly (readonly [name: string, value: string])[];

const MOST_REDIRECTS = 10;

function keep(jar: Map<string, Cookie>, host: string, line: string): void {
  const [pair = "", ...attributes] = line.split(";").map((part) => part.trim());
  const name = pair.slice(0, pair.indexOf("="));
  const of = (key: string) => attributes.find((one) => one.toLowerCase().startsWith(`${key}=`))?.split("=")[1];
  if (of("max-age") === "0") jar.delete(`${host} ${name}`);
  else {
    const http_only = attributes.some((one) => one.toLowerCase() === "httponly");
    jar.set(`${host} ${name}`, { value: pair.slice(name.length + 1), path: of("path") ?? "/", http_only });
  }
}

function cookiesFor(jar: Map<string, Cookie>, url: URL): string {
  const sent = [...jar].filter(([key, { path }]) => {
    const below = url.pathname === path || url.pathname.startsWith(path.endsWith("/") ? path : `${path}/`);
    return key.startsWith(`${url.host} `) && below;
  });
  return sent.map(([key, { value }]) => `${key.split(" ")[1]}=${value}`).join("; ");
}

export function openBrowser(headers: Readonly<Record<string, string>> = {}): Browser {
  const jar = new Map<string, Cookie>();
  const set: string[] = [];

  const ask = async (method: string, url: URL, body: URLSearchParams | null): Promise<Response> => {
    const cookie = cookiesFor(jar, url);
    const response = await fetch(url, {
      method,
      redirect: "manual",
      headers: { ...headers, ...(cookie === "" ? {} : { cookie }) },
      ...(body === null ? {} : { body }),
    });
    for (const line of response.headers.getSetCookie()) {
      set.push(line);
      keep(jar, url.host, line);
    }
    return response;
  };

  const visit = async (first: Response, from: URL, stop: (next: URL) => boolean): Promise<Visit> => {
    let [response, url] = [first, from];
    for (let count = 0; count < MOST_REDIRECTS; count++) {
      const location = response.headers.get("location");
      const next = location === null ? null : new URL(location, url);
      if (next !== null && !stop(next)) {
        url = next;
        response = await ask("GET", url, null);
        continue;
      }
      return { url: next ?? url, status: response.status, headers: response.headers, text: await response.text() };
    }
    throw new Error("redirected without end");
  };

  const never = () => false;
  return {
    jar,
    set,
    get: async (url, stop = never) => visit(await ask("GET", new URL(url), null), new URL(url), stop),
    post: async (url, form, stop = never) => {
      const body = new URLSearchParams(form.map(([name, value]): [string, string] => [name, value]));
      return visit(await ask("POST", new URL(url), body), new URL(url), stop);
    },
  };
}

const plain = (text: string): string =>
  text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");

/** What a page's form would send if nothing were changed, its buttons aside. */
export function formOf(page: string): { action: string; fields: [string, string][] } {
  const action = /<form method="post" action="([^"]*)">/.exec(page)?.[1] ?? "";
  const inputs = [...page.matchAll(/<input ([^>]*)>/g)].flatMap(([, text = ""]): [string, string][] => {
    const of = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(text)?.[1];
    const off = of("type") === "checkbox" && !text.endsWith(" checked");
    return off ? [] : [[of("name") ?? "", plain(of("value") ?? "")]];
  });
  const selects = [...page.matchAll(/<select name="(\w+)">(.*?)<\/select>/gs)].map(
    ([, name = "", options = ""]): [string, string] => [name, /value="([^"]*)" selected/.exec(options)?.[1] ?? ""],
  );
  return { action: plain(action), fields: [...inputs, ...selects] };
}

/** The blocks of a page that are to be copied. */
export const blocksOf = (page: string): string[] =>
  [...page.matchAll(/<pre>(.*?)<\/pre>/gs)].map(([, text = ""]) => plain(text));

/** What a page says, without its marks. */
export const wordsOf = (page: string): string =>
  plain(page.replace(/<style>.*?<\/style>|<[^>]*>/gs, " ").replace(/\s+/g, " ")).trim();
