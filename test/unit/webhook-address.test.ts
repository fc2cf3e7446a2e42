import { describe, expect, it } from "vitest";
import { isPublic } from "../../src/contracts/public-address.ts";
import { targetMistake } from "../../src/webhooks/address.ts";

const PUBLIC = { allow_private: false };
const DEVELOPMENT = { allow_private: true };

describe("an address that is really connected to", () => {
  it.each(["8.8.8.8", "140.82.112.3", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"])(
    "may be %s",
    (address) => {
      expect(isPublic(address)).toBe(true);
    },
  );

  it.each([
    ...["127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"],
    ...["168.63.129.16", "::ffff:168.63.129.16"],
    ...["0.0.0.0", "255.255.255.255", "224.0.0.1", "240.0.0.1", "192.0.2.1", "198.18.0.1"],
    ...["::1", "::", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "fec0::1", "2001:db8::1", "::7f00:1", "100::1"],
    ...["::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::808:808", "2002:7f00:1::1"],
    ...["2001:0:7f00:1::1", "", "localhost", "fe80::1%eth0"],
  ])("must not be %s", (address) => {
    expect(isPublic(address)).toBe(false);
  });
});

describe("a target", () => {
  it.each([
    "https://example.com/hook",
    "https://example.com:8443/a?b=c",
    "https://8.8.8.8/",
    "https://[2606:4700::1]/",
  ])("may be %s", (url) => {
    expect(targetMistake(url, PUBLIC)).toBeNull();
  });

  it.each([
    ...["https://127.0.0.1/", "https://0x7f.1/", "https://2130706433/", "https://0177.0.0.1/", "https://127.1/"],
    ...["https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[64:ff9b::a00:1]/"],
    ...[
      "https://169.254.169.254/latest/meta-data",
      "https://localhost/",
      "https://a.localhost./",
      "https://db.internal/",
    ],
    ...["https://printer.local/", "https://①②⑦.0.0.1/"],
  ])("must not be %s, which is not on the internet", (url) => {
    expect(targetMistake(url, PUBLIC)).toContain("public internet");
  });

  it.each([
    ["http://example.com/", "https://"],
    ["ftp://example.com/", "https://"],
    ["javascript:alert(1)", "https://"],
    ["example.com/hook", "https://"],
    ["", "https://"],
    ["https://", "https://"],
    ["https://user@example.com/", "user name"],
    ["https://:secret@example.com/", "user name"],
    ["https://example.com:0/", "port"],
    [`https://example.com/${"x".repeat(2_000)}`, "2000 characters"],
  ])("must not be %s, and the sentence says %s", (url, says) => {
    expect(targetMistake(url, PUBLIC)).toContain(says);
  });

  it("may be on this machine and without TLS while one develops, and nothing else more", () => {
    expect(targetMistake("http://127.0.0.1:8080/hook", DEVELOPMENT)).toBeNull();
    expect(targetMistake("http://localhost:8080/hook", DEVELOPMENT)).toBeNull();
    expect(targetMistake("ftp://127.0.0.1/", DEVELOPMENT)).toContain("http://");
    expect(targetMistake("http://u:p@127.0.0.1/", DEVELOPMENT)).toContain("user name");
  });
});
