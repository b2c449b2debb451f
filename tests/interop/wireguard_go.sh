#!/usr/bin/env bash
# Our Device against Debian's wireguard-go, over a veth pair between two namespaces of our own: as
# initiator, then as responder, with a preshared key, echo requests both ways.
# Usage: wireguard_go.sh PATH_OF_wireguard_go_peer. Exit 77: cannot run here.
set -euo pipefail

peer=$1
[ "$(id -u)" -eq 0 ] && [ -c /dev/net/tun ] || exit 77
for tool in wireguard-go wg ip ping; do command -v "$tool" >/dev/null || exit 77; done

name=gi$$
work=$(mktemp -d)
go_pid=
cleanup() {
  [ -z "$go_pid" ] || kill "$go_pid" 2>/dev/null || true
  ip netns del "$name-a" 2>/dev/null || true
  ip netns del "$name-b" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

umask 077
for who in ours theirs; do
  wg genkey >"$work/$who.key"
  wg pubkey <"$work/$who.key" >"$work/$who.pub"
done
wg genpsk >"$work/psk"

ip netns add "$name-a"
ip netns add "$name-b"
ip link add e0 netns "$name-a" type veth peer name e0 netns "$name-b"
ip -n "$name-a" addr add 10.77.0.1/24 dev e0
ip -n "$name-b" addr add 10.77.0.2/24 dev e0
ip -n "$name-a" link set e0 up
ip -n "$name-b" link set e0 up

WG_PROCESS_FOREGROUND=1 ip netns exec "$name-b" wireguard-go -f "$name" >"$work/log" 2>&1 &
go_pid=$!
for _ in $(seq 100); do
  [ ! -S "/var/run/wireguard/$name.sock" ] || break
  sleep 0.05
done
wg set "$name" private-key "$work/theirs.key" listen-port 51820 \
  peer "$(cat "$work/ours.pub")" preshared-key "$work/psk" allowed-ips 10.78.0.2/32
ip -n "$name-b" addr add 10.78.0.1/24 dev "$name"
ip -n "$name-b" link set "$name" mtu 1420 up

failed=0
expect() { # NAME MINIMUM < output of the peer
  local value
  value=$(awk -v name="$1" '$1 == name { print $2 }' "$work/out")
  if [ "${value:-0}" -lt "$2" ]; then
    echo "FAILED: $1 is ${value:-absent}, expected at least $2"
    failed=1
  fi
}
run_peer() { # initiate|respond SECONDS
  ip netns exec "$name-a" "$peer" "$1" "$work/ours.key" "$work/theirs.pub" "$work/psk" \
    51821 10.77.0.2:51820 "$2" >"$work/out"
}

run_peer initiate 3
echo "we initiate: $(tr '\n' ' ' <"$work/out")"
expect initiated 1
expect replies 10

# A new process of ours has no keys; wireguard-go, told where we are, initiates for its own ping.
wg set "$name" peer "$(cat "$work/ours.pub")" remove
wg set "$name" peer "$(cat "$work/ours.pub")" preshared-key "$work/psk" \
  allowed-ips 10.78.0.2/32 endpoint 10.77.0.1:51821
run_peer respond 8 &
peer_pid=$!
sleep 0.3
ip netns exec "$name-b" ping -c 20 -i 0.3 -W 1 10.78.0.2 >"$work/ping" 2>&1 || failed=1
wait "$peer_pid"
echo "they initiate: $(tr '\n' ' ' <"$work/out")"
grep 'packet loss' "$work/ping"
expect accepted 1
expect requests 19
expect replies 10
exit "$failed"
