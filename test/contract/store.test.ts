/** Every engine keeps the same contract. */
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openLowdbStore } from "../../src/store/lowdb/open.ts";
import { describeCommits, describeEffects } from "./store/commits.ts";
import { describeLists, describeLookups } from "./store/finding.ts";
import { describeMoney } from "./store/money.ts";
import { describeInbox, describeKeys, describeRepositories } from "./store/rooms.ts";
import { type Engine, START } from "./store/sample.ts";

const lowdb: Engine = {
  name: "lowdb",
  place: async () => {
    const dir = fs.mkdtempSync(join(tmpdir(), "store-"));
    return {
      open: (now = () => START) => openLowdbStore({ dir, now }),
      remove: async () => fs.rmSync(dir, { recursive: true }),
    };
  },
};

for (const engine of [lowdb]) {
  describeCommits(engine);
  describeEffects(engine);
  describeLists(engine);
  describeLookups(engine);
  describeMoney(engine);
  describeKeys(engine);
  describeRepositories(engine);
  describeInbox(engine);
}
