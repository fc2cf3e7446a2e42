import { describe, expect, it } from "vitest";
import { ADMIN_ACCOUNT, accountOf } from "../../src/domain/job/account.ts";
import { decide } from "../../src/domain/job/decide.ts";
import { requesterOf } from "../../src/domain/job/requester.ts";
import { userAccount } from "../../src/domain/market/ledger.ts";
import { draft, T0 } from "./job-fixtures.ts";

describe("accounts", () => {
  it("are logins in lower case, but for the one that belongs to API_KEY", () => {
    expect([accountOf("Ada"), accountOf("ada"), accountOf("o_CORP")]).toEqual(["ada", "ada", "o_corp"]);
    for (const login of ["admin", "Admin", "ADMIN"]) expect(accountOf(login)).toBe("admin@github");
    expect(accountOf("administrator")).toBe("administrator");
    expect(ADMIN_ACCOUNT).toBe("admin");
  });

  it("have one spelling in jobs and in the ledger, whoever hands them in", () => {
    const decision = decide(
      null,
      { type: "create", draft: draft({ account: "Ada" }) },
      { now: T0, available_cents: 0 },
    );
    expect(decision).toMatchObject({ kind: "decided", job: { account: "ada" } });
    expect(userAccount("Ada")).toBe(userAccount("ada"));
  });
});

describe("who asked", () => {
  const by = { account: "ada", login: "Ada" };

  it("is who is named, else whoever a draft is of", () => {
    expect(requesterOf({ type: "create", draft: draft(), by })).toBe(by);
    expect(requesterOf({ type: "cancel", by })).toBe(by);
    const origin = { kind: "rest", dialect: "create-job", key_id: "k" } as const;
    expect(requesterOf({ type: "create", draft: draft({ account: "ada", requester: null, origin }) })).toEqual({
      account: "ada",
      login: null,
      via: { key_id: "k", address: null, request_id: null },
    });
    expect(requesterOf({ type: "pay", account: "ada" })).toEqual({ account: "ada", login: null });
  });

  it("is nobody for crons, clean-up and reports", () => {
    expect(
      requesterOf({ type: "create", draft: draft({ origin: { kind: "schedule", name: "nightly", due_at: 0 } }) }),
    ).toBeNull();
    expect(requesterOf({ type: "discard", by: { account: null, login: null } })).toBeNull();
    expect(requesterOf({ type: "archive" })).toBeNull();
    expect(requesterOf({ type: "merged", pull_request: 1, by: "ada", at: T0 })).toBeNull();
    expect(requesterOf({ type: "tick" })).toBeNull();
  });
});
