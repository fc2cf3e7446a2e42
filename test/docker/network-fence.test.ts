/** A job whose settings name hosts (`egress`) reaches only those, whatever its code tries. */
import { randomInt } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Model, startModel } from "../sandbox/model/server.ts";
import {
  describeContainers,
  docker,
  hostAddress,
  imageOf,
  newName,
  type Opened,
  openToContainers,
  until,
} from "./containers.ts";
import { type FinishedJob, runJob } from "./job.ts";
import { ATTEMPTS, type Attempt, idOf, type Places, placesFile, scriptOf, TOOLS } from "./network-fence-escapes.ts";

const KEY = "fence-model-key-0123456789";
const MARK = "this-is-outside";
const WORLD = join(import.meta.dirname, "fence-servers.ts");
const HOSTS = [
  ...["good", "private", "metadata", "loopback", "mapped", "both", "rebinding"].map((name) => `${name}.example.org`),
  "*.below.example.org",
];

/** What the list lets through: shows that the attempts fail by the fence and not by themselves. */
const ALLOWED: readonly Attempt[] = [
  { name: "a name of the list", run: "via http://good.example.org/$ID" },
  { name: "CONNECT to a name of the list", run: "tunnel http://good.example.org:443/$ID" },
  { name: "a name below one with a star", run: "via http://a.below.example.org/$ID" },
  {
    name: "a name of the list, as bytes",
    run: 'raw "GET http://good.example.org/$ID HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n"',
  },
];
/** Names that lead to several places: the world answers, the neighbour hears nothing. */
const SEVERAL: readonly Attempt[] = [
  {
    name: "a name that leads to a public and a private address",
    run: "for i in 1 2 3 4; do via http://both.example.org/$ID; done",
  },
  {
    name: "a name that leads elsewhere at each question",
    run: "for i in 1 2 3 4 5 6 7 8; do via http://rebinding.example.org/$ID; tunnel http://rebinding.example.org:443/$ID; done",
  },
];
const FENCED = [...ATTEMPTS, ...ALLOWED, ...SEVERAL];
const OPEN = ATTEMPTS.filter(({ open }) => open === true);

describeContainers("a fenced job", () => {
  const [a, b] = [randomInt(256), randomInt(256)];
  const place = {
    subnet: `11.${a}.${b}.0/24`,
    subnet6: `2a00:${a.toString(16)}:${b.toString(16)}::/64`,
    public: `11.${a}.${b}.44`,
    public6: `2a00:${a.toString(16)}:${b.toString(16)}::44`,
  };
  const [network, world, neighbour] = [newName(), newName(), newName()];
  let model: Model;
  let open: Opened;
  let host: Server;
  let hostHeard = "";
  let fenced: Finished;
  let unfenced: Finished;

  const addressOf = (name: string, on: string): Promise<string> =>
    docker("inspect", "--format", `{{(index .NetworkSettings.Networks "${on}").IPAddress}}`, name);

  async function startWorld(name: string, names: Record<string, string[][]>, ...flags: string[]): Promise<void> {
    const given = JSON.stringify({ says: MARK, ports: [22, 80, 443, 8080], names });
    const program = ["--volume", `${WORLD}:/world.ts:ro`, "--entrypoint", "node", imageOf("agent"), "/world.ts"];
    await docker("run", "--detach", "--name", name, "--env", `WORLD=${given}`, ...flags, ...program);
    await until("the world listens", async () => (await docker("logs", name)).includes('{"ready":true}'));
  }

  async function placesFor(job: string): Promise<Places> {
    const addresses = Object.values(networkInterfaces()).flatMap((all = []) =>
      all.filter(({ family }) => family === "IPv4"),
    );
    return {
      PUBLIC: place.public,
      PUBLIC6: place.public6,
      PUBLIC_NUMBER: String(((11 * 256 + a) * 256 + b) * 256 + 44),
      HOST: await hostAddress(),
      HOST_ADDRESSES: addresses.map(({ address }) => address).join(" "),
      HOST_PORT: String((host.address() as AddressInfo).port),
      NEIGHBOUR: await addressOf(neighbour, job),
      NEIGHBOUR_NAME: neighbour,
      NEIGHBOUR_BRIDGE: await addressOf(neighbour, "bridge"),
      NEIGHBOUR_PORT: /:(\d+)$/m.exec(await docker("port", neighbour, "80/tcp"))?.[1] ?? "",
      MARK,
    };
  }

  /** Runs a job that makes these attempts, in a world of its own. */
  async function attempt(attempts: readonly Attempt[], egress: readonly string[] | null): Promise<Finished> {
    const outside = ["--network", network, "--dns", place.public];
    let [worldHeard, neighbourHeard] = ["", ""];
    const job = await runJob({
      task: "run bash attempts.sh",
      files: { "tools.sh": TOOLS, "attempts.sh": scriptOf(attempts, "all at once") },
      egress,
      provider: { url: open.url, key: KEY },
      flags: { gateway: outside, agent: egress === null ? outside : [] },
      async prepared({ network: near }, folder) {
        await docker("network", "connect", near, neighbour);
        const places = await placesFor(near);
        writeFileSync(join(folder, "places.sh"), placesFile(places));
        await startWorld(world, namesIn(places), "--network", network, "--ip", place.public, "--ip6", place.public6);
        return async () => {
          for (const name of [world, neighbour])
            expect(await docker("inspect", "--format", "{{.State.Running}}", name)).toBe("true");
          [worldHeard, neighbourHeard] = [await docker("logs", world), await docker("logs", neighbour)];
          await docker("rm", "--force", world);
          await docker("network", "disconnect", near, neighbour);
        };
      },
    });
    const all = [worldHeard, neighbourHeard, hostHeard].join("\n");
    return {
      job,
      outcomes: attempts.map((_, index) => {
        const id = idOf(index);
        return {
          said: job.checkout.file(`out/${id}`),
          heard: all.includes(id),
          byNeighbour: neighbourHeard.includes(id),
        };
      }),
    };
  }

  beforeAll(async () => {
    model = await startModel();
    open = await openToContainers(model.url);
    host = createServer((asked, answer) => {
      hostHeard += `${asked.url}\n`;
      answer.end(`${MARK}\n`);
    });
    await new Promise<void>((resolve) => host.listen(0, "::", resolve));
    await docker("network", "create", "--ipv6", "--subnet", place.subnet, "--subnet", place.subnet6, network);
    await startWorld(neighbour, {}, "--publish", "80");
    fenced = await attempt(FENCED, HOSTS);
    hostHeard = "";
    unfenced = await attempt(OPEN, null);
  });
  afterAll(async () => {
    for (const finished of [fenced, unfenced]) finished?.job.checkout.remove();
    await docker("rm", "--force", world, neighbour);
    await docker("network", "rm", network);
    open.close();
    host.close();
    host.closeAllConnections();
    await model.close();
  });

  /** What became of one of them; only what was tried to its end counts. */
  const outcome = (finished: Finished, all: readonly Attempt[], one: Attempt) => {
    const found = finished.outcomes[all.indexOf(one)];
    if (found === undefined) throw new Error(`nothing is known of: ${one.name}`);
    expect(found.said).toMatch(/^ended with \d+$/m);
    return found;
  };

  test("works, and the model is in reach", () => {
    expect(fenced.job, fenced.job.output).toMatchObject({ code: 0, failure: null });
    expect(fenced.job.checkout.result().outcome).toBe("done");
  });

  test.each(ALLOWED)("reaches $name", (one) => {
    const { said, heard } = outcome(fenced, FENCED, one);
    expect({ said, heard }).toEqual({ said: expect.stringContaining(MARK), heard: true });
  });

  test.each(ATTEMPTS)("does not reach $name", (one) => {
    const { said, heard } = outcome(fenced, FENCED, one);
    expect(said).not.toContain(MARK);
    expect(heard).toBe(false);
  });

  test.each(SEVERAL)("reaches nothing private by $name", (one) => {
    expect(outcome(fenced, FENCED, one)).toMatchObject({ said: expect.stringContaining(MARK), byNeighbour: false });
  });

  test.each(OPEN)("would reach $name if it had no fence", (one) => {
    const { said, heard } = outcome(unfenced, OPEN, one);
    expect(said.includes(MARK) || heard, said).toBe(true);
  });

  test("is told what the gateway did not let through, and so is who reads the log", () => {
    const told = fenced.job.output;
    for (const host of ["evil.example.org", "private.example.org", "metadata.example.org"])
      expect(told).toContain(`Blocked: ${host}`);
  });

  test("leaves neither container nor network", async () => {
    const left = [
      await docker("ps", "--all", "--format", "{{.Names}}"),
      await docker("network", "ls", "--format", "{{.Name}}"),
    ];
    expect(left.join("\n")).not.toContain(`journeyman-${fenced.job.id}`);
  });
});

interface Finished {
  readonly job: FinishedJob;
  readonly outcomes: readonly { readonly said: string; readonly heard: boolean; readonly byNeighbour: boolean }[];
}

/** What the world's name server answers. */
function namesIn({ PUBLIC, PUBLIC6, NEIGHBOUR }: Places): Record<string, string[][]> {
  const outside = [[PUBLIC, PUBLIC6]];
  return {
    "good.example.org": outside,
    "evil.example.org": outside,
    "*.evil.example.org": outside,
    "*.good.example.org": outside,
    "evilgood.example.org": outside,
    "good.example.org.evil.example.org": outside,
    "below.example.org": outside,
    "*.below.example.org": outside,
    "private.example.org": [[NEIGHBOUR]],
    "metadata.example.org": [["169.254.169.254"]],
    "loopback.example.org": [["127.0.0.1", "::1"]],
    "mapped.example.org": [[`::ffff:${NEIGHBOUR}`]],
    "both.example.org": [[NEIGHBOUR, PUBLIC]],
    "rebinding.example.org": [[PUBLIC], [NEIGHBOUR]],
  };
}
