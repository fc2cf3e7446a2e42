#!/usr/bin/env bash
# A real Docker engine for the tests where none answers: engine.sh up | run COMMAND… | down. Needs root on Debian 12 or newer.
#
# The engine, its client, its builder and Compose are Debian testing's, taken out of their packages and not installed: Debian 12's
# own engine is too old to fence a container in (`gateway_mode_ipv4=isolated` is from 28 on). containerd, runc and iptables
# are the machine's. It stands in a network namespace of its own, so that nothing else on the machine is touched.
# `run` starts a command in that namespace, with the engine's socket where docker looks for it: also for programs that
# get no DOCKER_HOST. `down` leaves an engine that a `run` still uses. What was built is kept, so the next `up` is quick.
set -euo pipefail
home=${DOCKER_ENGINE_HOME:-/var/tmp/journeyman-docker} state=/run/journeyman-docker ns=journeyman-docker link=jm-docker
net=10.228.0 socket=$state/docker.sock
export DEBIAN_FRONTEND=noninteractive DOCKER_HOST=unix://$socket
[ "$(id -u)" = 0 ] || { echo "engine.sh needs root" >&2; exit 2; }
mkdir -p -m 0700 "$home" && [ -O "$home" ] && mkdir -p "$home/bin" "$state"
PATH=$home/bin:$PATH

answers() { docker version --format '{{.Server.Version}}' 2>/dev/null; }
inside() { nsenter --net=/run/netns/$ns "$@"; }
# Adds a rule of the firewall unless it is there.
rule() { iptables -t "$1" -C "${@:3}" 2>/dev/null || iptables -t "$1" "$2" "${@:3}"; }

# Unpacks these packages of Debian testing into $home/apt/tree.
unpack() {
  local mirror folder=$home/apt
  rm -rf "$folder"
  mkdir -p "$folder"/{lists,cache/archives}/partial
  mirror=$(awk '$1 == "URIs:" || $1 == "deb" { print $2; exit }' /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null || true)
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror:?no archive of Debian is named in /etc/apt} forky main" >"$folder/sources.list"
  local apt=(-qq -o Dir::Etc::sourcelist="$folder/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o Dir::State::lists="$folder/lists" -o Dir::Cache="$folder/cache" -o APT::Sandbox::User=root)
  apt-get "${apt[@]}" update
  (cd "$folder" && apt-get "${apt[@]}" download "$@" && for package in *.deb; do dpkg -x "$package" tree; done)
}

install_engine() {
  apt-get update -qq || true # a third party's archive may be out of reach
  apt-get install -y -qq --no-install-recommends containerd runc iptables iproute2 procps debootstrap sudo git-lfs >/dev/null
  local tree=$home/apt/tree
  unpack docker.io docker-cli docker-buildx tini-static
  mv "$tree/usr/sbin/docker-proxy" "$tree/usr/bin/docker" "$tree/usr/libexec/docker/cli-plugins/docker-buildx" "$home/bin/"
  mv "$tree/usr/bin/tini-static" "$home/bin/docker-init" # what `--init` starts in containers
  mv "$tree/usr/sbin/dockerd" "$home/bin/"               # last: it says that all is there
  rm -rf "$home/apt"
}

install_compose() {
  unpack docker-compose
  mv "$home/apt/tree/usr/libexec/docker/cli-plugins/docker-compose" "$home/bin/"
  rm -rf "$home/apt"
}

# The client and its plugins where every program finds them, unless the machine has its own.
link_client() {
  (PATH=${PATH#*:}; command -v docker >/dev/null) || ln -sf "$home/bin/docker" /usr/local/bin/docker
  mkdir -p /usr/local/lib/docker/cli-plugins
  for plugin in buildx compose; do
    docker $plugin version >/dev/null 2>&1 || ln -sf "$home/bin/docker-$plugin" /usr/local/lib/docker/cli-plugins/
  done
}

connect_namespace() {
  [ -e /run/netns/$ns ] || ip netns add $ns
  ip link show ${link}0 >/dev/null 2>&1 || ip link add ${link}0 type veth peer name ${link}1 netns $ns
  ip addr replace $net.1/30 dev ${link}0; ip link set ${link}0 up
  inside ip link set lo up; inside ip addr replace $net.2/30 dev ${link}1; inside ip link set ${link}1 up
  inside ip route replace default via $net.1
  sysctl -qw net.ipv4.ip_forward=1
  # for npm and Debian while images are built
  rule nat -A POSTROUTING -s $net.0/30 ! -o ${link}0 -j MASQUERADE
  rule filter -I FORWARD -i ${link}0 -j ACCEPT; rule filter -I FORWARD -o ${link}0 -j ACCEPT
}

stop_engine() {
  local pid
  pid=$(cat "$state/pid" 2>/dev/null) && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ] || return 0
  kill "$pid"
  for _ in $(seq 150); do [ -e "/proc/$pid" ] || return 0; sleep 0.2; done
  kill -KILL "$pid"
}

clear_away() {
  docker ps --all --quiet | xargs --no-run-if-empty docker rm --force --volumes >/dev/null
  docker network prune --force >/dev/null
  docker volume prune --all --force >/dev/null
}

case "${1:-}" in
up)
  exec 8>"$home/lock"; flock 8
  [ -x "$home/bin/dockerd" ] || install_engine
  [ -x "$home/bin/docker-compose" ] || install_compose
  link_client
  if answers; then
    # Where nobody uses it, what is there was left by a run that was killed.
    exec 9>>"$home/users"
    if flock -n 9; then clear_away; fi
    exit
  fi
  stop_engine; rm -f "$state/pid"
  connect_namespace
  setsid nsenter --net=/run/netns/$ns dockerd --data-root "$home/data" --exec-root "$state/exec" --pidfile "$state/pid" \
    -H "unix://$socket" >"$home/log" 2>&1 </dev/null 8>&- &
  for _ in $(seq 120); do answers >/dev/null && break; sleep 0.5; done
  answers || { tail -20 "$home/log" >&2; exit 1; }
  clear_away
  ;;
run)
  shift
  exec 9>>"$home/users"; flock -s 9
  mkdir -p /var/run; [ -e /var/run/docker.sock ] || touch /var/run/docker.sock
  unset DOCKER_HOST
  exec nsenter --net=/run/netns/$ns unshare --mount bash -c 'mount --bind "$0" /var/run/docker.sock && exec "$@"' "$socket" "$@"
  ;;
down)
  exec 8>"$home/lock"; flock 8
  exec 9>>"$home/users"
  flock -n 9 || { echo "the engine is in use by another command and stays up"; exit 0; }
  stop_engine
  iptables -t nat -D POSTROUTING -s $net.0/30 ! -o ${link}0 -j MASQUERADE 2>/dev/null || true
  iptables -D FORWARD -i ${link}0 -j ACCEPT 2>/dev/null || true; iptables -D FORWARD -o ${link}0 -j ACCEPT 2>/dev/null || true
  ip link del ${link}0 2>/dev/null || true
  umount "$state/exec/netns/default" "$home/data" 2>/dev/null || true
  ip netns del $ns 2>/dev/null || true
  rm -rf "$state"
  ;;
*)
  echo "usage: engine.sh up | run COMMAND… | down" >&2; exit 2 ;;
esac
