import { createHash } from "node:crypto";
import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { commitObject, gitObject, treeObject } from "../../src/github/git/objects.ts";
import { packOf } from "../../src/github/git/pack.ts";
import { readReport, requestOf } from "../../src/github/git/receive-pack.ts";
import { editTree, KnownTrees } from "../../src/github/git/trees.ts";

const EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
const REF = "refs/heads/job/abcd1234";

describe("git objects", () => {
  it("have git's own ids", () => {
    expect(gitObject("blob", Buffer.from("hello\n")).id).toBe("ce013625030ba8dba906f756967f9e9ca394464a");
    expect(treeObject([]).id).toBe(EMPTY_TREE);
  });

  it("sort the names of a tree by bytes, a folder as if it ended with a slash", () => {
    const id = "ce013625030ba8dba906f756967f9e9ca394464a";
    const names = ["é", "a.txt", "a", "Z", "a0"].map((name) => ({ name, mode: name === "a" ? "40000" : "100644", id }));
    const text = Buffer.from(treeObject(names).bytes).toString("utf8");
    const places = ["100644 Z", "100644 a.txt", "40000 a\0", "100644 a0", "100644 é"].map((part) => text.indexOf(part));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });

  it("are the same commit when tree, parent, author, time and message are", () => {
    const words = {
      tree: EMPTY_TREE,
      parent: "1".repeat(40),
      by: { name: "j[bot]", email: "1+j[bot]@x" },
      message: "m",
    };
    expect(commitObject({ ...words, at: 1_999 }).id).toBe(commitObject({ ...words, at: 1_000 }).id);
    expect(commitObject({ ...words, at: 2_000 }).id).not.toBe(commitObject({ ...words, at: 1_000 }).id);
  });
});

describe("a pack", () => {
  it("holds each object once, with its size, and ends with its hash", async () => {
    const large = gitObject("blob", Buffer.alloc(5_000, "x"));
    const pack = await packOf([large, gitObject("tree", Buffer.alloc(0)), large]);
    expect(pack.toString("latin1", 0, 4)).toBe("PACK");
    expect([pack.readUInt32BE(4), pack.readUInt32BE(8)]).toEqual([2, 2]);
    // 5000 = 8 + 16 * (56 + 128 * 2), so 0xb8, 0xb8, 0x02
    expect([...pack.subarray(12, 15)]).toEqual([0xb8, 0xb8, 0x02]);
    expect(inflateSync(pack.subarray(15))).toHaveLength(5_000);
    expect(pack.subarray(-20)).toEqual(createHash("sha1").update(pack.subarray(0, -20)).digest());
  });
});

describe("trees", () => {
  const blob = gitObject("blob", Buffer.from("x")).id;

  it("are taken only if they give their id", () => {
    const known = new KnownTrees();
    known.learn(EMPTY_TREE, [{ name: "a", mode: "100644", id: blob }]);
    known.learn(treeObject([{ name: "\ufffd", mode: "100644", id: blob }]).id, [
      { name: "a", mode: "100644", id: blob },
    ]);
    expect(known.get(EMPTY_TREE)).toBeUndefined();
    known.learn(EMPTY_TREE, []);
    expect(known.get(EMPTY_TREE)).toEqual([]);
  });

  it("are not changed where a folder is unknown or a file is in the way", () => {
    const known = new KnownTrees();
    const changes = new Map([[".jobs/a/job.md", blob]]);
    for (const mode of ["40000", "120000", "160000", "100755"]) {
      const root = [{ name: ".jobs", mode, id: blob }];
      known.learn(treeObject(root).id, root);
      expect(editTree(known, treeObject(root).id, changes)).toBeNull();
    }
    expect(editTree(known, EMPTY_TREE, changes)).toBeNull();
  });
});

const packet = (text: string): string => (Buffer.byteLength(text) + 4).toString(16).padStart(4, "0") + text;
const banded = (...packets: string[]): Buffer => Buffer.from(`${packets.join("")}0000`, "latin1");
const report = (...lines: string[]): string => packet(`\x01${lines.map(packet).join("")}0000`);

describe("the report on a push", () => {
  it("is asked for with the ref's old and new commit", () => {
    const to = "2".repeat(40);
    const line = `${"0".repeat(40)} ${to} ${REF}\0 report-status side-band-64k object-format=sha1`;
    expect(requestOf({ ref: REF, from: null, to }, Buffer.from("PACK")).toString("latin1")).toBe(
      `${packet(line)}0000PACK`,
    );
  });

  it.each<[string, Buffer, object | null]>([
    ["taken", banded(report("unpack ok\n", `ok ${REF}\n`)), { refused: null, remote: [] }],
    ["taken, without side band", banded(packet("unpack ok\n"), packet(`ok ${REF}\n`)), { refused: null, remote: [] }],
    [
      "refused by a rule, with its words",
      banded(
        packet("\x02error: GH013: Repository rule violations found\r\n\n"),
        packet("\x02 - Cannot create ref\n"),
        report("unpack ok\n", `ng ${REF} push declined\n`),
      ),
      {
        refused: "push declined",
        remote: ["error: GH013: Repository rule violations found", "- Cannot create ref"],
      },
    ],
    [
      "cut into several packets",
      banded(packet("\x01000eunpack ok\n0"), packet(`\x0101fok ${REF}\n`), packet("\x010000")),
      { refused: null, remote: [] },
    ],
    [
      "not unpacked",
      banded(report("unpack index-pack abnormal exit\n")),
      { refused: "index-pack abnormal exit", remote: [] },
    ],
    ["about another ref", banded(report("unpack ok\n", "ok refs/heads/other\n")), null],
    ["of nothing", banded(), null],
    ["that ends early", Buffer.from("00ff\x01"), null],
    ["that is a page", Buffer.from("<!DOCTYPE html>"), null],
    ["with an impossible length", Buffer.from("0003"), null],
    ["that is too long", Buffer.alloc(300_000, packet("\x02x\n")), null],
  ])("is read when it is one: %s", (_name, bytes, expected) => {
    expect(readReport(bytes, REF)).toEqual(expected);
  });
});
