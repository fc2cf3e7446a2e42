/** Addresses of attachments in texts, and of images in what GitHub renders of them. */
import { describe, expect, test } from "vitest";
import { IMAGE_FILE, imageFile, imageType } from "../../src/contracts/images.ts";
import { attachmentsIn, imageAddressesIn } from "../../src/text/attachments.ts";

const WEB = new URL("https://github.com");
const GUID = "0d3f6f2a-5c1b-4c8e-9f00-0123456789ab";
const OTHER = "1d3f6f2a-5c1b-4c8e-9f00-0123456789ab";
const UPLOADED = `https://github.com/user-attachments/assets/${GUID}`;
const SIGNED = `https://private-user-images.githubusercontent.com/12/34-${GUID}.png`;

describe("attachments in a text", () => {
  test.each([
    ["Markdown", `![a](${UPLOADED})`],
    ["Markdown with a title", `![a](${UPLOADED} "t")`],
    ["HTML", `<img width="1" src="${UPLOADED}" />`],
    ["a bare address", `See ${UPLOADED}.`],
    ["emphasis", `**${UPLOADED}**`],
  ])("are found in %s", (_, text) => {
    expect(attachmentsIn(text, WEB)).toEqual([{ address: UPLOADED, guid: GUID }]);
  });

  test.each([
    `https://github.com/octo/demo/assets/12/${GUID}`,
    `https://user-images.githubusercontent.com/12/34-${GUID}.png`,
  ])("of earlier years are images as well: %s", (address) => {
    expect(attachmentsIn(`![](${address})`, WEB)).toEqual([{ address, guid: GUID }]);
  });

  test("of GitHub Enterprise Server have addresses of their own", () => {
    const address = `https://ghe.example/storage/user/5/files/${GUID}`;
    expect(attachmentsIn(`![](${address})`, new URL("https://ghe.example"))).toEqual([{ address, guid: GUID }]);
    expect(attachmentsIn(`![](${address})`, WEB)).toEqual([]);
  });

  test("that are no images have no guid, and each is found once", () => {
    const file = "https://github.com/user-attachments/files/12/log.zip";
    expect(attachmentsIn(`[log](${file}) and ${file}, ![](${UPLOADED}) ${UPLOADED}`, WEB)).toEqual([
      { address: file, guid: null },
      { address: UPLOADED, guid: GUID },
    ]);
  });

  test.each([
    "https://github.com.evil.example/user-attachments/assets/",
    "https://evil.example/user-attachments/assets/",
    "https://github.com/user-attachments/assets/x/",
    "ftp://github.com/user-attachments/assets/",
  ])("are at GitHub: %s is none", (place) => {
    expect(attachmentsIn(`${place}${GUID}`, WEB)).toEqual([]);
  });
});

describe("addresses of images in rendered HTML", () => {
  test("go by the guid, with what HTML has escaped", () => {
    const html = `<a href="${SIGNED}?jwt=a.b&amp;x=1"><img src="${SIGNED}?jwt=a.b&amp;x=1"></a><img src="${SIGNED.replace(GUID, OTHER)}?jwt=c">`;
    const found = imageAddressesIn(html, WEB);
    expect([...found].map(([guid, { href }]) => [guid, href])).toEqual([
      [GUID, `${SIGNED}?jwt=a.b&x=1`],
      [OTHER, `${SIGNED.replace(GUID, OTHER)}?jwt=c`],
    ]);
  });

  test.each([
    ["another host", `https://evil.example/34-${GUID}.png?jwt=a`],
    ["a host that only begins so", `https://private-user-images.githubusercontent.com.evil.example/34-${GUID}.png`],
    ["a host that only ends so", `https://evil-private-user-images.githubusercontent.com/34-${GUID}.png`],
    ["an open line", `http://private-user-images.githubusercontent.com/34-${GUID}.png?jwt=a`],
    ["another port", `https://private-user-images.githubusercontent.com:8443/34-${GUID}.png?jwt=a`],
    ["a user name", `https://x@private-user-images.githubusercontent.com/34-${GUID}.png?jwt=a`],
    ["a guid in the query alone", `https://private-user-images.githubusercontent.com/1.png?jwt=34-${GUID}.png`],
    ["the address that opens for people alone", UPLOADED],
  ])("do not lead to %s", (_, address) => {
    expect(imageAddressesIn(`<img src="${address}">`, WEB).size).toBe(0);
  });

  test("of a server of one's own lead to it or below it, signed ones first", () => {
    const web = new URL("https://ghe.example");
    const at = (address: string) => imageAddressesIn(`<img src="${address}">`, web).get(GUID)?.host;
    expect(at(`https://media.ghe.example/user/1/${GUID}.png?token=a`)).toBe("media.ghe.example");
    expect(at(`https://evil.example/user/1/${GUID}.png`)).toBeUndefined();
    const two = `<a href="https://ghe.example/storage/user/5/files/${GUID}"><img src="https://media.ghe.example/1/${GUID}?token=a">`;
    expect(imageAddressesIn(two, web).get(GUID)?.search).toBe("?token=a");
  });
});

test.each([
  ["image/png", "89504e470d0a1a0a0000", "image-1.png"],
  ["image/jpeg", "ffd8ffe000104a464946", "image-1.jpg"],
  ["image/gif", "474946383961", "image-1.gif"],
  ["image/webp", "524946460000000057454250", "image-1.webp"],
] as const)("%s is known by its first bytes", (type, hex, file) => {
  expect(imageType(Buffer.from(hex, "hex"))).toBe(type);
  expect(imageFile(1, type)).toBe(file);
  expect(file).toMatch(IMAGE_FILE);
});

test.each(["", "89504e47", "3c7376673e", "52494646000000005741564520", "255044462d"])("%s begins no image", (hex) => {
  expect(imageType(Buffer.from(hex, "hex"))).toBeNull();
});
