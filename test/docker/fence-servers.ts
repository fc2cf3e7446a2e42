/**
 * What lies outside of a job's network, as a program in a container: answers every web request at the ports that it is
 * given, and every question for a name, and says on stdout what it has heard, a line of JSON each. Runs on its own:
 * `node fence-servers.ts`, with WORLD = {"says", "ports", "names": {"name": [["address", …], …]}}. A name with several lists of
 * addresses is answered with another one each time; `*.` stands for what lies below a name.
 */
import { createSocket } from "node:dgram";
import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";

interface World {
  readonly says: string;
  readonly ports: readonly number[];
  readonly names: Readonly<Record<string, readonly (readonly string[])[]>>;
}

const { says, ports, names }: World = JSON.parse(process.env.WORLD ?? "{}");
const heard = (what: unknown): void => console.log(JSON.stringify(what));

for (const port of ports) {
  const server = createServer((asked, answer) => {
    heard({ port, method: asked.method, url: asked.url, host: asked.headers.host });
    answer.end(asked.url === "/first" ? "the first one\n" : `${says}\n`);
  });
  server.on("connect", (asked, socket) => {
    heard({ port, method: "CONNECT", url: asked.url });
    socket.end();
  });
  server.on("clientError", (_error, socket) => socket.end(`${says}\n`));
  server.on("connection", (socket) => socket.on("error", () => socket.destroy()));
  server.listen(port, "::");
}

const asked = new Map<string, number>();

/** Both kinds of one look-up get the same list. */
function addressesOf(name: string, type: number): readonly string[] {
  const parent = `*.${name.split(".").slice(1).join(".")}`;
  const lists = names[name] ?? names[parent] ?? [];
  const key = `${type} ${name}`;
  const before = asked.get(key) ?? 0;
  asked.set(key, before + 1);
  return lists[before % lists.length] ?? [];
}

const A = 1;
const AAAA = 28;

/** Eight groups of 16 bits; what is not `::` or an IPv4 address at its end is written out. */
function bytesOf(address: string): Buffer {
  if (!address.includes(":")) return Buffer.from(address.split(".").map(Number));
  const plain = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [head = "", tail = ""] = plain.split("::");
  const groups = (text: string): number[] =>
    text === "" ? [] : text.split(":").map((one) => Number.parseInt(one, 16));
  const [first, last] = [groups(head), groups(tail)];
  const all = [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 255]));
}

function answerName(question: Buffer): Buffer {
  const labels: string[] = [];
  let at = 12;
  for (let length = question[at] ?? 0; length > 0; length = question[at] ?? 0) {
    labels.push(question.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  const name = labels.join(".").toLowerCase();
  const type = question.readUInt16BE(at + 1);
  heard({ name, type });
  const all = type === A || type === AAAA ? addressesOf(name, type) : [];
  const fitting = all.filter((address) => address.includes(":") === (type === AAAA));
  const head = Buffer.from(question.subarray(0, 12));
  head.writeUInt16BE(0x8180, 2);
  head.writeUInt16BE(fitting.length, 6);
  head.writeUInt16BE(0, 8);
  head.writeUInt16BE(0, 10);
  const rows = fitting.map((address) => {
    const bytes = bytesOf(address);
    const row = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, 0, bytes.length]);
    return Buffer.concat([row, bytes]);
  });
  return Buffer.concat([head, question.subarray(12, at + 5), ...rows]);
}

const udp = createSocket({ type: "udp6", ipv6Only: false });
udp.on("message", (bytes, from) => {
  heard({ datagram: bytes.toString("latin1") });
  try {
    udp.send(answerName(bytes), from.port, from.address);
  } catch {
    // It was no question.
  }
});
udp.bind(53, "::", () => {
  createTcpServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.on("data", (bytes) => {
      heard({ stream: bytes.toString("latin1") });
      socket.end(says);
    });
  }).listen(53, "::", () => heard({ ready: true }));
});
