import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { readKeysSettings } from "../../src/main/command-settings.ts";
import { environment } from "../../src/main/environment.ts";
import { type Reading, readSettings, type Settings } from "../../src/main/settings.ts";
import { appKey } from "../contract/app-key.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/operations.md"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "settings-"));

const good = { APP_ID: "12", PRIVATE_KEY: appKey, WEBHOOK_SECRET: "a secret of this test" };

function settingsOf(reading: Reading): Settings {
  if (reading.kind !== "settings") throw new Error(`expected settings, got ${JSON.stringify(reading)}`);
  return reading.settings;
}

function mistakesOf(reading: Reading): readonly string[] {
  if (reading.kind !== "mistakes") throw new Error(`expected mistakes, got ${reading.kind}`);
  return reading.mistakes;
}

describe("settings of the server", () => {
  it("fills in what is left out", () => {
    const settings = settingsOf(readSettings(good, folder));
    expect(settings).toMatchObject({
      app_id: 12,
      github_api_url: "https://api.github.com",
      github_web_url: "https://github.com",
      oidc_issuer: "https://token.actions.githubusercontent.com",
      host: "localhost",
      port: 3000,
      data_dir: join(folder, "data"),
      api_key: null,
      llm: { provider: "anthropic", model: "claude-sonnet-5-5", max_tokens: null, own_models: false },
    });
  });

  it("refuses a model that nobody knows, unless a gateway of one's own may", () => {
    const llama = { ...good, LLM_MODEL: "llama" };
    expect(mistakesOf(readSettings(llama, folder))[0]).toMatch(
      /^LLM_MODEL: The model `llama` is unknown\. Use a known one/,
    );
    for (const more of [{ ANTHROPIC_BASE_URL: "http://localhost:4000" }, { LLM_PROVIDER: "anthropic-compatible" }])
      expect(settingsOf(readSettings({ ...llama, ...more }, folder)).llm.model).toBe("llama");
  });

  it("says at the start that a retired model is replaced, and a limit lowered", () => {
    const reading = readSettings({ ...good, LLM_MODEL: "claude-opus-4-1", LLM_MAX_TOKENS: "200000" }, folder);
    expect(reading.kind === "settings" && reading.notes).toEqual([
      expect.stringMatching(
        /^LLM_MODEL: The model `claude-opus-4-1` is retired since 2026-08-05, so `claude-opus-5-5`/,
      ),
      expect.stringMatching(/^LLM_MODEL: `claude-opus-5-5` answers with at most 128000 tokens/),
    ]);
  });

  it("names every mistake at once, in a sentence that begins with the variable", () => {
    const mistakes = mistakesOf(
      readSettings(
        {
          APP_ID: "twelve",
          PRIVATE_KEY: "not a key",
          PORT: "70000",
          PUBLIC_URL: "journeyman.example",
          API_KEY: "short",
          ENCRYPTION_KEY: "abcd",
          WEBHOOK_ALLOW_PRIVATE: "yes",
          LOG_LEVEL: "loud",
          RUN_ACTION: "acme/fork/.github/actions/run-job@v1\n  - run: id",
          RUN_FEDERATION: "fdrl_a,org,svac",
          DEFAULT_REPOSITORY: "hello-world",
          DATABASE_URL: "postgres://localhost/jobs",
        },
        folder,
      ),
    );
    const named = mistakes.map((sentence) => sentence.split(":")[0]).sort();
    expect(named).toEqual([
      "API_KEY",
      "APP_ID",
      "DATABASE_URL",
      "DEFAULT_REPOSITORY",
      "ENCRYPTION_KEY",
      "LOG_LEVEL",
      "PORT",
      "PRIVATE_KEY",
      "PUBLIC_URL",
      "RUN_ACTION",
      "RUN_FEDERATION",
      "WEBHOOK_ALLOW_PRIVATE",
      "WEBHOOK_SECRET",
    ]);
    for (const sentence of mistakes) expect(sentence).toMatch(/\.$|\)\.$/);
  });

  it("never repeats the value of a secret in a mistake", () => {
    const secrets = { PRIVATE_KEY: `${appKey.slice(0, 200)}zz`, API_KEY: "tiny-secret", ENCRYPTION_KEY: "0badsecret" };
    const said = mistakesOf(readSettings({ ...good, ...secrets }, folder)).join("\n");
    expect(said).not.toContain("tiny-secret");
    expect(said).not.toContain("0badsecret");
    expect(said).not.toContain(appKey.slice(40, 80));
  });

  it("refuses the webhook secret that everybody knows", () => {
    const mistakes = mistakesOf(readSettings({ ...good, WEBHOOK_SECRET: "development" }, folder));
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toContain("WEBHOOK_SECRET");
  });

  it.each(["DATABASE_URL", "REDIS_URL", "WEBHOOK_PATH", "SENTRY_DSN"])(
    "refuses %s, which this version cannot honour",
    (name) => {
      const mistakes = mistakesOf(readSettings({ ...good, [name]: "x://y" }, folder));
      expect(mistakes).toHaveLength(1);
      expect(mistakes[0]).toMatch(new RegExp(`^${name}: .*remove the setting`));
    },
  );

  it("takes the private key as PEM, on one line, with escaped line breaks, in base64 and from a file", () => {
    const path = join(folder, "app.pem");
    writeFileSync(path, appKey);
    const variants = [
      { PRIVATE_KEY: appKey },
      { PRIVATE_KEY: appKey.replaceAll("\n", " ") },
      { PRIVATE_KEY: appKey.replaceAll("\n", "\\n") },
      { PRIVATE_KEY: Buffer.from(appKey).toString("base64") },
      { PRIVATE_KEY: undefined, PRIVATE_KEY_PATH: "app.pem" },
    ];
    for (const variant of variants) {
      const { private_key } = settingsOf(readSettings({ ...good, ...variant }, folder));
      expect(private_key.reveal()).toBe(appKey);
    }
  });

  it("says which file with the private key is missing", () => {
    const mistakes = mistakesOf(
      readSettings({ ...good, PRIVATE_KEY: undefined, PRIVATE_KEY_PATH: "gone.pem" }, folder),
    );
    expect(mistakes).toEqual(["PRIVATE_KEY_PATH: the file gone.pem cannot be read."]);
  });

  it("asks for the set-up page without APP_ID, in production too, and says what that needs", () => {
    const given = { HOST: "0.0.0.0", PORT: "8080", NODE_ENV: "production", TRUST_PROXY: "1", GHE_HOST: "git.example" };
    expect(readSettings(given, folder)).toEqual({
      kind: "setup",
      settings: {
        ...{ host: "0.0.0.0", port: 8080, trust_proxy: 1, data_dir: join(folder, "data") },
        ...{ public_url: null, webhook_proxy_url: null, encryption_key: null, enterprise: true },
        ...{ github_api_url: "https://git.example/api/v3", github_web_url: "https://git.example" },
        log: { level: "info", format: null },
      },
    });
    expect(readSettings({}, folder)).toMatchObject({ kind: "setup", settings: { enterprise: false } });
  });

  it("does not ask for it where something of an App is set without the id", () => {
    const some = { PRIVATE_KEY: appKey, WEBHOOK_SECRET: "a-secret", GITHUB_CLIENT_ID: "Iv1" };
    for (const [name, value] of Object.entries(some))
      expect(mistakesOf(readSettings({ [name]: value }, folder))).toContainEqual(
        expect.stringMatching(new RegExp(`^APP_ID: is missing beside ${name};`)),
      );
  });

  it("points the API at GHE_HOST with GHE_PROTOCOL", () => {
    const settings = settingsOf(readSettings({ ...good, GHE_HOST: "127.0.0.1:4000", GHE_PROTOCOL: "http" }, folder));
    expect(settings.github_api_url).toBe("http://127.0.0.1:4000/api/v3");
    expect(settings.github_web_url).toBe("http://127.0.0.1:4000");
    expect(settings.oidc_issuer).toBe("http://127.0.0.1:4000/_services/token");
  });

  it("takes the client of the App whole or not at all, and notes that it needs an address", () => {
    const client = { GITHUB_CLIENT_ID: "Iv23liabc", GITHUB_CLIENT_SECRET: "0123456789abcdef" };
    const whole = readSettings({ ...good, ...client, PUBLIC_URL: "https://journeyman.example/" }, folder);
    expect(whole).toMatchObject({ notes: [], settings: { github_client: { id: "Iv23liabc" } } });
    expect(settingsOf(readSettings(good, folder)).github_client).toBeNull();
    for (const half of ["GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET"]) {
      const mistakes = mistakesOf(readSettings({ ...good, ...client, [half]: undefined }, folder));
      expect(mistakes).toEqual([expect.stringMatching(/^GITHUB_CLIENT_ID: goes with GITHUB_CLIENT_SECRET/)]);
    }
    // as the set-up page leaves them: the server starts all the same
    const reading = readSettings({ ...good, ...client }, folder);
    expect(reading).toMatchObject({
      notes: [expect.stringMatching(/^GITHUB_CLIENT_ID is set, but PUBLIC_URL is not/)],
    });
  });

  it("trusts no proxy unless told how many there are", () => {
    expect(settingsOf(readSettings(good, folder)).trust_proxy).toBe(0);
    expect(settingsOf(readSettings({ ...good, TRUST_PROXY: "2" }, folder)).trust_proxy).toBe(2);
    for (const wrong of ["true", "11", "10.0.0.0/8"])
      expect(mistakesOf(readSettings({ ...good, TRUST_PROXY: wrong }, folder))[0]).toMatch(/^TRUST_PROXY: /);
  });

  it("notes settings that nothing uses yet instead of passing over them", () => {
    const reading = readSettings(
      { ...good, GITHUB_CLIENT_ID: "Iv23liabc", GITHUB_CLIENT_SECRET: "0123456789abcdef" },
      folder,
    );
    expect(reading).toMatchObject({ kind: "settings" });
    if (reading.kind === "settings") {
      expect(reading.notes.map((note) => note.split(" ")[0])).toEqual(["GITHUB_CLIENT_ID"]);
    }
  });

  it("takes Stripe's two secrets together or not at all", () => {
    const [STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET] = ["sk_test_0123456789", "whsec_0123456789"];
    expect(settingsOf(readSettings(good, folder)).stripe).toBeNull();
    expect(
      settingsOf(readSettings({ ...good, STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET }, folder)).stripe,
    ).toMatchObject({
      api_url: null,
    });
    for (const half of [{ STRIPE_SECRET_KEY }, { STRIPE_WEBHOOK_SECRET }])
      expect(mistakesOf(readSettings({ ...good, ...half }, folder))[0]).toMatch(/^STRIPE_SECRET_KEY, STRIPE_WEBHOOK/);
  });

  it("prints no secret, however the settings are printed", () => {
    const settings = settingsOf(readSettings({ ...good, API_KEY: "the-admin-key-of-this-test" }, folder));
    const printed = [JSON.stringify(settings), inspect(settings, { depth: 9 }), `${settings.webhook_secret}`].join(
      "\n",
    );
    expect(printed).toContain("[secret]");
    for (const value of ["the-admin-key", "a secret of this test", "PRIVATE KEY"]) expect(printed).not.toContain(value);
    expect(settings.api_key?.reveal()).toBe("the-admin-key-of-this-test");
  });
});

describe("the environment", () => {
  it("puts the process over .env, and takes an empty variable for none", () => {
    const cwd = mkdtempSync(join(tmpdir(), "env-"));
    writeFileSync(join(cwd, ".env"), `APP_ID=1\nPORT=4000\nPRIVATE_KEY="${appKey}"\nHOST=\n`);
    const variables = environment(cwd, { PORT: "5000", API_KEY: "" });
    expect(variables).toMatchObject({ APP_ID: "1", PORT: "5000" });
    expect(variables.PRIVATE_KEY?.trim()).toBe(appKey.trim());
    expect(Object.keys(variables)).not.toContain("HOST");
    expect(Object.keys(variables)).not.toContain("API_KEY");
  });
});

describe("settings of the keys command", () => {
  it("needs no App, and finds a server that listens everywhere on this machine", () => {
    expect(readKeysSettings({ HOST: "0.0.0.0", PORT: "8080" }, folder)).toEqual({
      kind: "settings",
      settings: { data_dir: join(folder, "data"), api_key: null, server_url: "http://127.0.0.1:8080" },
    });
  });
});

describe("a setting that has a new name", () => {
  const OLD = "QUOTA_TURNS_PER_DAY is replaced by QUOTA_ROUNDS_PER_DAY; rename it, since a later version ignores it.";

  it("works under the old one, which the start asks to rename", () => {
    const reading = readSettings({ ...good, QUOTA_TURNS_PER_DAY: "7" }, folder);
    expect(reading).toMatchObject({ settings: { quotas: { rounds_per_day: 7 } }, notes: [OLD] });
  });

  it("counts by the new one where both are set", () => {
    const reading = readSettings({ ...good, QUOTA_TURNS_PER_DAY: "7", QUOTA_ROUNDS_PER_DAY: "8" }, folder);
    expect(reading).toMatchObject({ settings: { quotas: { rounds_per_day: 8 } }, notes: [OLD] });
  });

  it("leads from a mistake under the new name back to the old one", () => {
    const mistakes = mistakesOf(readSettings({ ...good, QUOTA_TURNS_PER_DAY: "many" }, folder));
    expect(mistakes).toEqual([expect.stringMatching(/^QUOTA_ROUNDS_PER_DAY: must be a whole number/), OLD]);
  });
});

describe("settings that there are not", () => {
  it.each([
    ["LLM_MODL", "did you mean LLM_MODEL?"],
    ["LLM_API_KEY", "remove it"],
    ["GHE_HOTS", "did you mean GHE_HOST?"],
    ["JOURNEYMAN_TELEPATHY", "remove it"],
  ])("refuses %s, which nobody else can be meant by, and says what may have been meant", (name, words) => {
    const [mistake, ...more] = mistakesOf(readSettings({ ...good, [name]: "x" }, folder));
    expect(more).toEqual([]);
    expect(mistake).toMatch(new RegExp(`^${name}: there is no such setting`));
    expect(mistake).toContain(words);
  });

  it("takes what Kubernetes sets for a service called journeyman for nobody's mistake", () => {
    const names = ["SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTP", "PORT", "PORT_3000_TCP", "PORT_3000_TCP_ADDR"];
    const set = Object.fromEntries(names.map((name) => [`JOURNEYMAN_${name}`, "10.0.0.1"]));
    expect(readSettings({ ...good, ...set }, folder).kind).toBe("settings");
  });

  it("names a slip of a known name that may be somebody else's, and goes on", () => {
    const reading = readSettings(
      { ...good, PUBLIC_ULR: "https://x.example", PATH: "/bin", POST: "1", HOSTS: "a" },
      folder,
    );
    if (reading.kind !== "settings") throw new Error("expected settings");
    expect(reading.notes).toEqual(["PUBLIC_ULR is no setting of this server and is ignored; did you mean PUBLIC_URL?"]);
  });

  it.each([
    ["STRIPE_WEBHOOK_SECERT", "; did you mean STRIPE_WEBHOOK_SECRET?"],
    ["STRIPE_SIGNING", "; there is STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, STRIPE_API_BASE."],
    ["ANTHROPIC_BASE", "; did you mean ANTHROPIC_BASE_URL?"],
    ["GITHUB_CLIENT_SECRT", "; did you mean GITHUB_CLIENT_SECRET?"],
    ["WEBHOOK_ALLOW_PRIVATES", "; did you mean WEBHOOK_ALLOW_PRIVATE?"],
    ["PRIVATE_KEY_FILE", "; there is PRIVATE_KEY_PATH."],
  ])("names %s by its prefix, though it may be somebody else's, and goes on", (name, words) => {
    const reading = readSettings({ ...good, [name]: "x" }, folder);
    if (reading.kind !== "settings") throw new Error("expected settings");
    expect(reading.notes).toEqual([`${name} is no setting of this server and is ignored${words}`]);
  });

  it("knows every setting of the page on operations", () => {
    const names = [...PAGE.matchAll(/^\| `([A-Z][A-Z_]+)` +\|/gm)].map(([, name = ""]) => name);
    expect(names.length).toBeGreaterThan(25);
    const set = Object.fromEntries(names.map((name) => [name, "x"]));
    const reading = readSettings({ ...good, ...set }, folder);
    expect(JSON.stringify(reading)).not.toContain("no such setting");
  });
});
