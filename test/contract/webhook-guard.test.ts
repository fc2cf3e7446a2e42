/** The address that a webhook really connects to: names that resolve elsewhere, literals, odd forms. */
import { expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../src/engine/clock.ts";
import { createPoster } from "../../src/webhooks/post-request.ts";
import { guardedLookup } from "../../src/webhooks/resolve-host.ts";
import { startReceiver } from "./receiver.ts";
import { openNotifyBench } from "./webhook-harness.ts";

const REFUSED = { status: null, error: "the address is not on the public internet", retry_after_ms: null };

const at = (...addresses: string[]): { address: string; family: number }[] =>
  addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));

async function guarded(resolve: (host: string) => Promise<{ address: string; family: number }[]>) {
  const receiver = await startReceiver();
  const poster = createPoster({ clock: systemClock, allow_private: false, resolve });
  onTestFinished(async () => {
    poster.close();
    await receiver.close();
  });
  const { port } = new URL(receiver.url);
  return { receiver, port, post: (host: string) => poster.post(`http://${host}:${port}/hook`, [], "{}") };
}

it.each(["127.0.0.1", "0x7f.1", "2130706433", "127.1", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"])(
  "is not asked when the target is %s",
  async (host) => {
    const { receiver, post } = await guarded(async () => at("127.0.0.1"));
    expect(await post(host)).toEqual(REFUSED);
    expect(receiver.received).toEqual([]);
  },
);

it.each([[["127.0.0.1"]], [["10.0.0.1", "::1"]], [["::ffff:127.0.0.1"]], [["169.254.169.254"]], [[]]])(
  "is not asked when a public name leads to %j",
  async (addresses) => {
    const { receiver, post } = await guarded(async () => at(...addresses));
    expect(await post("rebound.example.com")).toEqual(REFUSED);
    expect(receiver.received).toEqual([]);
  },
);

it("is the public one of a name that leads to both, whatever the socket asks for", async () => {
  const lookup = guardedLookup(async () => at("127.0.0.1", "8.8.8.8", "::1", "2606:4700::1"), false);
  const asked = (options: object): Promise<unknown[]> =>
    new Promise((resolve) => lookup("both.example.com", options, (...answer) => resolve(answer)));
  expect(await asked({ all: true })).toEqual([null, at("8.8.8.8", "2606:4700::1")]);
  expect(await asked({})).toEqual([null, "8.8.8.8", 4]);
  expect(await asked({ family: 6 })).toEqual([null, "2606:4700::1", 6]);
});

it("is looked at once more at the socket, before anything is written to it", async () => {
  // what was checked is not what is connected to: the answer changes after it was read once
  let reads = 0;
  const lying = {
    family: 4,
    get address() {
      return reads++ === 0 ? "8.8.8.8" : "127.0.0.1";
    },
  };
  const { receiver, post } = await guarded(async () => [lying]);
  expect(await post("example.com")).toEqual(REFUSED);
  expect(reads).toBeGreaterThan(1);
  expect(receiver.connections()).toBe(1);
  expect(receiver.bytes()).toBe(0);
});

it("may be private while one develops", async () => {
  const bench = await openNotifyBench();
  const receiver = await bench.receiver();
  const { port } = new URL(receiver.url);
  await bench.tested(await bench.subscribe(`http://localhost:${port}/hook`), ({ state }) => state === "delivered");
  expect(receiver.received).toHaveLength(1);
});

it("is refused when it is sent to, though it was subscribed while one developed", async () => {
  const bench = await openNotifyBench({ allow_private: false });
  const receiver = await bench.receiver();
  const { attempts } = await bench.tested(await bench.subscribe(receiver.url), ({ tries }) => tries === 1);
  expect(attempts[0]).toMatchObject({ status: null, error: REFUSED.error });
  expect(receiver.received).toEqual([]);
});
