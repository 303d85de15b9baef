#!/usr/bin/env bash
# Real engines for tests: dockerd, a Podman API service and a registry, from the distribution's packages, on loopback.
#   engines.sh up      installs what is missing, starts what does not answer yet, waits until all three answer
#   engines.sh env     prints export lines: WHARF_TEST_DOCKER, WHARF_TEST_PODMAN, WHARF_TEST_REGISTRY
#   engines.sh down    ends what `up` started, and nothing else, by the process ids it wrote down
# WHARF_LAB names the folder for state (default: wharf-lab in the temporary directory). An engine of the machine that
# answers on its usual address is used as it is and never ended. Needs root.
set -euo pipefail
lab=${WHARF_LAB:-${TMPDIR:-/tmp}/wharf-lab}
mkdir -p "$lab"; chmod 755 "$lab"
usual_docker=/var/run/docker.sock own_docker=$lab/docker.sock podman=$lab/podman.sock

say() { printf 'lab: %s\n' "$*" >&2; }
answers() { curl -sf -m 5 -o /dev/null --unix-socket "$1" http://engine/_ping; }
is_registry() { curl -sf -m 5 -o /dev/null "http://$1/v2/"; }
taken() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# start NAME COMMAND...: detached, output to NAME.log, process id to NAME.pid
start() {
  local name=$1; shift
  setsid "$@" >"$lab/$name.log" 2>&1 </dev/null &
  echo $! >"$lab/$name.pid"
  say "$name started, pid $!"
}

# until_up NAME CHECK...: at most a minute, then the end of its log
until_up() {
  local name=$1; shift
  for _ in $(seq 300); do
    "$@" && return 0
    [ ! -f "$lab/$name.pid" ] || kill -0 "$(cat "$lab/$name.pid")" 2>/dev/null || break
    sleep 0.2
  done
  say "$name does not answer; the end of $lab/$name.log:"; tail -n 15 "$lab/$name.log" >&2 || true
  return 1
}

install_missing() {
  local missing=() package
  for package in docker.io podman docker-registry skopeo runc crun uidmap passt slirp4netns iptables busybox-static curl zstd attr; do
    dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  say "installing ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$lab/apt.log" 2>&1 ||
    { tail -n 15 "$lab/apt.log" >&2; return 1; }
}

docker_socket() { if answers "$usual_docker"; then echo "$usual_docker"; else echo "$own_docker"; fi; }

start_docker() {
  local socket; socket=$(docker_socket)
  answers "$socket" && return
  # Its own folders, and no hand on the machine's firewall.
  start docker dockerd --host "unix://$socket" --data-root "$lab/docker" --exec-root "$lab/docker-run" \
    --pidfile "$lab/docker.daemon-pid" --bridge none --iptables=false --ip-masq=false
  until_up docker answers "$socket"
}

start_registry() {
  local port=5000 address
  # A registry of the machine is welcome; something else on the port makes us look further.
  while address=127.0.0.1:$port; ! is_registry "$address" && taken "$port"; do port=$((port + 1)); done
  echo "$address" >"$lab/registry.address"
  is_registry "$address" && return
  mkdir -p "$lab/registry"
  cat >"$lab/registry.yml" <<Y
version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $lab/registry}, delete: {enabled: true}}
http: {addr: $address}
Y
  start registry docker-registry serve "$lab/registry.yml"
  until_up registry is_registry "$address"
}

start_podman() {
  answers "$podman" && return
  # Debian's Podman sets limits above what a container on a container may set, and crun treats that as fatal.
  cat >"$lab/containers.conf" <<Y
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
Y
  cat >"$lab/registries.conf" <<Y
[[registry]]
location = "$(cat "$lab/registry.address")"
insecure = true
Y
  [ -f /etc/containers/policy.json ] || {
    mkdir -p /etc/containers; echo '{"default": [{"type": "insecureAcceptAnything"}]}' >/etc/containers/policy.json; }
  CONTAINERS_CONF=$lab/containers.conf CONTAINERS_REGISTRIES_CONF=$lab/registries.conf \
    start podman podman --root "$lab/podman" --runroot "$lab/podman-run" system service --time=0 "unix://$podman"
  until_up podman answers "$podman"
}

stop() {
  local pid; pid=$(cat "$lab/$1.pid" 2>/dev/null) || return 0
  rm -f "$lab/$1.pid"
  kill "$pid" 2>/dev/null || return 0
  for _ in $(seq 150); do kill -0 "$pid" 2>/dev/null || { say "$1 ended"; return; }; sleep 0.1; done
  say "$1 (pid $pid) did not end within 15 s: killed"; kill -9 "$pid" 2>/dev/null || true
}

case "${1:-}" in
up) install_missing; start_docker; start_registry; start_podman; "$0" env ;;
env)
  echo "export WHARF_TEST_DOCKER=unix://$(docker_socket)"
  echo "export WHARF_TEST_PODMAN=unix://$podman"
  echo "export WHARF_TEST_REGISTRY=$(cat "$lab/registry.address" 2>/dev/null || echo 127.0.0.1:5000)" ;;
down) stop podman; stop registry; stop docker ;;
*) sed -n 2,7p "$0" >&2; exit 2 ;;
esac
