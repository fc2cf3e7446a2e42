/** Fetching an image: what is refused, and that no credentials go along. */
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { MAX_IMAGE_BYTES } from "../../src/contracts/images.ts";
import { createImageFetcher } from "../../src/github/client/image-fetcher.ts";

const PNG = Buffer.from("89504e470d0a1a0a0000", "hex");
const TOO_LARGE = { ok: false, why: "it is larger than 3 MB" };
const NO_ANSWER = { ok: false, why: "GitHub did not hand it out in time" };

async function fetched(answer: RequestListener, limit_ms = 5_000) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close(() => {}).closeAllConnections());
  const { port } = server.address() as AddressInfo;
  const web_url = `http://127.0.0.1:${port}`;
  return createImageFetcher({ web_url, limit_ms }).fetch(new URL(`${web_url}/private-user-images/1?jwt=x`));
}

test("hands out the bytes with the type that they have, and sends no credentials", async () => {
  const seen: string[] = [];
  const image = await fetched((request, response) => {
    seen.push(...Object.keys(request.headers));
    response.setHeader("content-type", "text/html").end(PNG);
  });
  expect(image).toEqual({ ok: true, bytes: PNG, type: "image/png" });
  expect(seen).not.toContain("authorization");
  expect(seen).not.toContain("cookie");
});

test.each<[string, RequestListener, object]>([
  [
    "more bytes than announced are allowed",
    (_, response) => void response.setHeader("content-length", 50 * 1024 * 1024).write(PNG),
    TOO_LARGE,
  ],
  [
    "more bytes come than are allowed",
    (_, response) => {
      response.on("error", () => {});
      const more = () => void (response.destroyed || response.write(Buffer.alloc(64 * 1024), more));
      more();
    },
    TOO_LARGE,
  ],
  [
    "it is a page",
    (_, response) => void response.setHeader("content-type", "image/png").end("<html>"),
    {
      ok: false,
      why: "it is no PNG, JPEG, GIF or WebP image",
    },
  ],
  ["it is empty", (_, response) => void response.end(), { ok: false, why: "it is no PNG, JPEG, GIF or WebP image" }],
  [
    "it leads elsewhere",
    (_, response) => void response.writeHead(302, { location: "http://169.254.169.254/" }).end(),
    {
      ok: false,
      why: "it leads elsewhere",
    },
  ],
  [
    "its address is over",
    (_, response) => void response.writeHead(404).end(PNG),
    {
      ok: false,
      why: "GitHub answered 404",
    },
  ],
  ["the connection breaks", (request) => void request.socket.destroy(), NO_ANSWER],
])("says why there is no image where %s", async (_, answer, expected) => {
  expect(await fetched(answer)).toEqual(expected);
});

test.each<[string, RequestListener]>([
  ["never answers", () => {}],
  ["never ends", (_, response) => void response.write(PNG)],
])("gives up on a server that %s", async (_, answer) => {
  expect(await fetched(answer, 200)).toEqual(NO_ANSWER);
});

test("takes an image of exactly the highest size", async () => {
  const bytes = Buffer.concat([PNG, Buffer.alloc(MAX_IMAGE_BYTES - PNG.length)]);
  expect(await fetched((_, response) => void response.end(bytes))).toMatchObject({ ok: true });
});

test.each(["127.0.0.1", "10.0.0.8", "169.254.169.254", "::1"])(
  "does not reach %s, whatever the name of GitHub's host leads to",
  async (address) => {
    const family = address.includes(":") ? 6 : 4;
    const fetcher = createImageFetcher({ web_url: "https://github.com", resolve: async () => [{ address, family }] });
    const image = await fetcher.fetch(new URL("https://private-user-images.githubusercontent.com/1/2.png?jwt=x"));
    expect(image).toEqual({ ok: false, why: "it does not lead to the public internet" });
  },
);
