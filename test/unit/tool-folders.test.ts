/** What of earlier steps reaches the agent: folders of the tool cache, and nothing that lies elsewhere. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findToolFolders, toolVariables } from "../../agent/action/tool-folders.ts";

describe("the tools of earlier steps", () => {
  let top: string;
  let cache: string;
  const at = (...parts: string[]): string => join(top, ...parts);
  const folder = (path: string): string => {
    mkdirSync(path, { recursive: true });
    return path;
  };
  const tool = (...parts: string[]): string => folder(join(cache, ...parts));
  const find = (env: Record<string, string>) =>
    findToolFolders(toolVariables({ RUNNER_TOOL_CACHE: cache, ...env }), {
      home: at("home"),
      closed: [at("work"), at("temp")],
    });

  beforeEach(() => {
    top = realpathSync(mkdtempSync(join(tmpdir(), "tools-test-")));
    cache = folder(at("cache"));
    for (const name of ["home", "work", "temp"]) folder(at(name));
  });
  afterEach(() => rmSync(top, { recursive: true, force: true }));

  test("are the folders that PATH and variables name in the tool cache, mounted whole and read in their order", () => {
    const go = tool("go", "1.22.12", "x64");
    const python = tool("Python", "3.12.3", "x64");
    for (const one of [go, python]) folder(join(one, "bin"));
    const found = find({
      PATH: `${python}/bin:${python}:${go}/bin/:/usr/bin:/bin`,
      GOROOT: go,
      pythonLocation: python,
      Python3_ROOT_DIR: python,
    });
    expect(found).toEqual({
      names: ["Python 3.12.3", "go 1.22.12"],
      mounts: [python, go].map((path) => ({ source: path, target: path })),
      path: [`${python}/bin`, python, `${go}/bin`],
      variables: { GOROOT: go, pythonLocation: python, Python3_ROOT_DIR: python },
    });
  });

  // what setup-node, -go, -python and -java and setup-ruby have left on a runner whose cache held these, in August 2026
  test("are those of the set-up actions, without their other variables", () => {
    const [ruby, python] = [tool("Ruby", "3.4.5", "x64"), tool("Python", "3.13.1", "x64")];
    const java = tool("Java_Temurin-Hotspot_jdk", "21.0.4-7", "x64");
    const [node, go] = [tool("node", "24.21.0", "x64"), tool("go", "1.24.5", "x64")];
    for (const one of [ruby, python, java, node, go]) folder(join(one, "bin"));
    const path = [`${ruby}/bin`, `${java}/bin`, python, `${python}/bin`, `${go}/bin`, `${node}/bin`];
    const named = {
      ...{ JAVA_HOME: java, JAVA_HOME_21_X64: java, pythonLocation: python },
      ...{ Python_ROOT_DIR: python, Python2_ROOT_DIR: python, Python3_ROOT_DIR: python },
    };
    const found = find({
      ...{ PATH: [...path, "/usr/bin"].join(":"), ...named },
      ...{ GOTOOLCHAIN: "local", MAVEN_ARGS: "-ntp", PKG_CONFIG_PATH: `${python}/lib/pkgconfig` },
      LD_LIBRARY_PATH: `${python}/lib`,
    });
    expect(found).toEqual({
      names: ["Ruby 3.4.5", "Java_Temurin-Hotspot_jdk 21.0.4-7", "Python 3.13.1", "go 1.24.5", "node 24.21.0"],
      mounts: [ruby, java, python, go, node].map((one) => ({ source: one, target: one })),
      ...{ path, variables: named },
    });
  });

  test("are resolved where the cache holds links, and stand at both paths", () => {
    const real = tool("jdk", "17", "files");
    folder(join(real, "bin"));
    const link = join(cache, "Java_Temurin-Hotspot_jdk", "17.0.12-7", "x64");
    folder(dirname(link));
    symlinkSync(real, link);
    const found = find({ PATH: `${link}/bin`, JAVA_HOME: link, JAVA_HOME_17_X64: link });
    expect(found.mounts).toEqual([
      { source: real, target: link },
      { source: real, target: real },
    ]);
    expect(found).toMatchObject({ path: [`${link}/bin`], variables: { JAVA_HOME: link, JAVA_HOME_17_X64: link } });
  });

  test("are found through a link from elsewhere, by their real path", () => {
    const go = tool("go", "1.22.12", "x64");
    symlinkSync(go, at("current-go"));
    expect(find({ GOROOT: at("current-go") })).toMatchObject({
      mounts: [{ source: go, target: go }],
      variables: { GOROOT: go },
    });
  });

  test("bring the certificates that Java keeps outside of its folder only if they are certificates", () => {
    const java = tool("Java", "17", "x64");
    folder(join(java, "lib", "security"));
    writeFileSync(at("home", "secret"), "x");
    symlinkSync(at("home", "secret"), join(java, "lib", "security", "cacerts"));
    expect(find({ JAVA_HOME: java }).mounts).toEqual([{ source: java, target: java }]);
  });

  test.each<[string, (path: (...parts: string[]) => string) => Record<string, string>]>([
    ["the home folder", (path) => ({ PATH: path("home", "bin"), CARGO_HOME: path("home", ".cargo") })],
    ["the workspace", (path) => ({ PATH: path("work", "bin") })],
    ["the temporary folder", (path) => ({ PATH: path("temp", "bin") })],
    [
      "the cache itself and a folder that is no whole tool",
      (path) => ({ PATH: path("cache"), X_HOME: path("cache", "go", "1") }),
    ],
    ["a link that leads out of the cache", (path) => ({ X_HOME: path("cache", "evil", "1", "x64") })],
    ["a folder of a tool that leads out of it", (path) => ({ PATH: path("cache", "half", "1", "x64", "bin") })],
    [
      "a path that climbs out of the cache",
      (path) => ({ X_HOME: `${path("cache", "go", "1", "x64")}/../../../../home` }),
    ],
    ["what is not there", (path) => ({ X_HOME: path("cache", "a", "b", "c") })],
    ["the system", () => ({ PATH: "/usr/bin:/usr:/:/etc", JAVA_HOME: "/usr", SNAP_HOME: "/" })],
    [
      "a name that docker or a shell would read",
      (path) => ({ X_HOME: path("cache", "go", "1,readonly=false", "x64") }),
    ],
    ["a relative path", () => ({ PATH: ".:bin:", X_HOME: "cache/go/1/x64" })],
  ])("never are %s", (_, variables) => {
    for (const name of [
      "home/bin",
      "home/.cargo",
      "work/bin",
      "temp/bin",
      "cache/go/1/x64",
      "cache/go/1,readonly=false/x64",
    ])
      folder(at(name));
    folder(at("cache", "evil", "1"));
    symlinkSync(at("home"), at("cache", "evil", "1", "x64"));
    folder(at("cache", "half", "1", "x64"));
    symlinkSync(at("home", "bin"), at("cache", "half", "1", "x64", "bin"));
    expect(find(variables(at))).toEqual({ names: [], mounts: [], path: [], variables: {} });
  });

  test.each(["/", "home", "work", "temp/tools", "nowhere", "a b"])("a cache at %s is none", (place) => {
    const at = place === "/" ? "/" : join(top, place);
    if (place !== "/" && place !== "nowhere") folder(join(at, "go", "1", "x64"));
    expect(find({ RUNNER_TOOL_CACHE: at, X_HOME: join(at, "go", "1", "x64") }).mounts).toEqual([]);
  });

  test("are found in a runner's own cache, below its home and beside its temporary folder", () => {
    const own = folder(at("home", "_work", "_tool"));
    const go = folder(join(own, "go", "1.22.12", "x64"));
    const env = toolVariables({
      RUNNER_TOOL_CACHE: own,
      GOROOT: go,
      CARGO_HOME: at("home", "_work", "_temp", "a", "b"),
    });
    const closed = [at("home", "_work", "shop", "shop"), at("home", "_work", "_temp")];
    expect(findToolFolders(env, { home: at("home"), closed }).mounts).toEqual([{ source: go, target: go }]);
  });

  test("a variable passes for its name and its value, never for what else it says", () => {
    const go = tool("go", "1", "x64");
    const secrets = {
      ...{ ACTIONS_RUNTIME_TOKEN: go, GITHUB_TOKEN: go, LD_PRELOAD: `${go}/x.so`, LD_LIBRARY_PATH: go },
      ...{ NODE_OPTIONS: go, GOFLAGS: go, JAVA_TOOL_OPTIONS: go, TOKEN_HOME: "hunter2", KEY_ROOT: `${go}:hunter2` },
    };
    expect(find(secrets).variables).toEqual({});
    expect(Object.keys(toolVariables({ ...secrets, GOROOT: go, PATH: go })).sort()).toEqual([
      ...["GOROOT", "KEY_ROOT", "PATH", "TOKEN_HOME"],
    ]);
  });

  test("are at most thirty-two", () => {
    const all = Array.from({ length: 40 }, (_, number) => tool(`tool-${number}`, "1", "x64"));
    expect(find({ PATH: all.join(":") }).mounts).toEqual(
      all.slice(0, 32).map((path) => ({ source: path, target: path })),
    );
  });
});
