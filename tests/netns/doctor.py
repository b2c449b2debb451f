#!/usr/bin/env python3
"""doctor finds each of ten faults of a host, provoked for real, and says what mends it.

    doctor.py --ginnel build/debug/ginnel --skew build/debug/tests/netns/libskewed_clock.so
              [--only CASE,…]

A hub and a peer in namespaces of their own; the peer has joined and its daemon is stopped, so that
doctor tries everything itself. Each case makes one thing wrong, asks, and puts it right again: the
check that is meant must be no longer ok, must name what is wrong and a fix, and no other check may
have changed. Then what --fix mends, and what netcheck says of the same network.
"""
import argparse
import contextlib
import json
import os
import socket
import sys

from lab import World
from nodes import PORT, Mesh

RECEIVE_MAX = "/proc/sys/net/core/rmem_max"
PLENTY, LITTLE = 8 << 20, 212992
BLACK_HOLE = 1400  # bytes of an IP packet
SKEW = 3600  # seconds


class Wrong(Exception):
    """The program did not do what it must; the text says what was seen."""


class Patient:
    """The peer's host. What is mounted is seen by doctor alone."""

    def __init__(self, world, mesh, skew):
        self.world, self.skew = world, skew
        self.hub, self.node = mesh.hubs[0], mesh.peers[0]
        self.hub_ns, self.ns = self.hub.ns, self.node.ns
        self.mounts, self.prefix, self.environment = [], [], {}
        self.receive_max(PLENTY)

    def receive_max(self, value):
        path = self.node.dir + ".rmem_max"
        with open(path, "w", encoding="ascii") as file:
            file.write(f"{value}\n")
        self.mounts = [f"mount --bind {path} {RECEIVE_MAX}"]

    @contextlib.contextmanager
    def mounted(self, *commands):
        before = list(self.mounts)
        self.mounts += commands
        yield
        self.mounts = before

    def ask(self, *words):
        """The exit code and the document of a verb, as this host is now."""
        binary, folder = self.node.binary, self.node.dir
        script = " && ".join([f"mount --bind {self.node.hosts} /etc/hosts", *self.mounts,
                              'exec "$@"'])
        words = [*self.prefix, "env", *[f"{k}={v}" for k, v in self.environment.items()], binary,
                 "--dir", folder, "--json", *words]
        before, self.node.command = self.node.command, lambda *_: self.ns.command(
            "sh", "-c", script, "sh", *words)
        try:
            process = self.node.start(stdout=-1, stderr=-1, text=True)
            out, err = process.communicate(timeout=20)
        finally:
            self.node.command = before
        try:
            return process.returncode, json.loads(out)
        except ValueError:
            raise Wrong(f"exit {process.returncode}: {out}{err}") from None

    def checks(self, *words):
        code, document = self.ask("doctor", *words)
        found = {check["code"]: check for check in document["checks"]}
        wrong = {c for c, check in found.items() if check["severity"] != "ok"}
        if code != (8 if wrong else 0):
            raise Wrong(f"exit {code} with {wrong or 'no fault'}")
        return found, wrong, document

    @contextlib.contextmanager
    def rule(self, ns, chain, text):
        """An nftables rule in a table of its own, for a while."""
        ns.run("nft", "-f", "-", text=f"table inet doctor {{\n chain c {{\n  {chain};\n"
                                          f"  {text}\n }}\n}}\n")
        try:
            yield
        finally:
            ns.run("nft", "delete", "table", "inet", "doctor")


@contextlib.contextmanager
def no_tun(host):
    with host.mounted("mount -t tmpfs none /dev/net"):
        yield "E_NO_TUN", ["/dev/net/tun"], ["modprobe tun"]


@contextlib.contextmanager
def rp_filter(host):
    host.ns.sysctl({"net/ipv4/conf/all/rp_filter": 1})
    yield "E_RP_FILTER", ["strict"], ["rp_filter=2"]
    host.ns.sysctl({"net/ipv4/conf/all/rp_filter": 0})


@contextlib.contextmanager
def address_clash(host):
    host.ns.run("ip", "link", "add", "clash0", "type", "veth", "peer", "name", "clash1")
    host.ns.run("ip", "address", "add", "10.66.7.1/24", "dev", "clash0")
    host.ns.run("ip", "link", "set", "clash0", "up")
    yield "E_ADDRESS_IN_USE", ["10.66.7.0/24", "clash0", "10.66.0.0/16"], ["clash0"]
    host.ns.run("ip", "link", "delete", "clash0")


@contextlib.contextmanager
def tiny_buffers(host):
    host.receive_max(LITTLE)
    yield "E_UDP_BUFFERS", ["rmem_max", "208 KiB"], ["net.core.rmem_max="]
    host.receive_max(PLENTY)


@contextlib.contextmanager
def port_taken(host):
    path = os.path.join(host.node.dir, "ginnel.toml")
    with open(path, encoding="utf-8") as file:
        before = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(before.replace("[node]\n", '[node]\nlisten = ["udp://[::]:7711"]\n', 1))
    with host.ns.socket(socket.AF_INET6) as sock:
        sock.bind(("::", 7711))
        yield "E_PORT_BUSY", ["7711", f"(pid {os.getpid()})"], ["node.listen"]
    with open(path, "w", encoding="utf-8") as file:
        file.write(before)


@contextlib.contextmanager
def clock_off(host):
    host.environment = {"LD_PRELOAD": host.skew, "GINNEL_SKEW": str(SKEW)}
    yield "E_CLOCK", ["60 min ahead of the hub's"], ["timedatectl"]
    host.environment = {}


@contextlib.contextmanager
def black_hole(host):
    chain = "type filter hook input priority 0"
    with host.rule(host.hub_ns, chain, f"meta l4proto udp meta length > {BLACK_HOLE} drop"):
        yield "E_MTU_BLACK_HOLE", [f"above {BLACK_HOLE} bytes", host.hub.name], ["ICMP"]


@contextlib.contextmanager
def firewall_far(host):
    with host.rule(host.hub_ns, "type filter hook input priority 0", "meta l4proto udp drop"):
        yield "E_HUB_UNREACHABLE", [host.hub.name, str(PORT)], ["firewall"]


@contextlib.contextmanager
def firewall_here(host):
    with host.rule(host.ns, "type filter hook output priority 0", f"udp dport {PORT} drop"):
        yield "E_HUB_UNREACHABLE", ["firewall of this host"], ["let UDP out"]


@contextlib.contextmanager
def no_capability(host):
    host.prefix = ["setpriv", "--bounding-set=-net_admin"]
    yield "E_CAPABILITY", ["CAP_NET_ADMIN"], ["setcap"]
    host.prefix = []


@contextlib.contextmanager
def hosts_read_only(host):
    with host.mounted("mount -o remount,bind,ro /etc/hosts"):
        yield "E_HOSTS_READ_ONLY", ["/etc/hosts"], ["dns.names"]


# Faults that take another thing away with them.
ALSO = {"no_capability": {"E_NO_TUN"}, "firewall_far": set(), "firewall_here": set()}
FAULTS = (no_tun, rp_filter, address_clash, tiny_buffers, port_taken, clock_off, black_hole,
          firewall_far, firewall_here, no_capability, hosts_read_only)


def healthy(host):
    found, wrong, _ = host.checks()
    if wrong:
        raise Wrong("; ".join(f"{c}: {found[c]['text']}" for c in sorted(wrong)))
    if len(found) < 8:
        raise Wrong(f"only {sorted(found)}")


def provoked(host, fault):
    with fault(host) as (code, texts, fixes):
        found, wrong, _ = host.checks()
        check = found[code]
        if check["severity"] == "ok":
            raise Wrong(f"{code} is ok: {check['text']}")
        missing = [t for t in texts if t not in check["text"]]
        missing += [t for t in fixes if t not in (check["fix"] or "")]
        if missing:
            raise Wrong(f"{missing} is not in {check}")
        others = wrong - {code} - ALSO.get(fault.__name__, set())
        if others:
            raise Wrong("; ".join(f"{c}: {found[c]['text']}" for c in sorted(others)))
        print(f"  {check['severity']}: {check['text']} -> {check['fix']}")


def mended(host):
    """--fix does what is safe, says so, and then all is well."""
    host.ns.sysctl({"net/ipv4/conf/all/rp_filter": 1})
    key = os.path.join(host.node.dir, "state", "identity.key")
    os.chmod(key, 0o644)
    found, wrong, _ = host.checks()
    if wrong < {"E_RP_FILTER", "E_KEY_FILE_MODE"}:
        raise Wrong(f"only {wrong}")
    found, wrong, document = host.checks("--fix")
    said = "\n".join(document["mended"])
    if wrong or "rp_filter = 2" not in said or "identity.key" not in said:
        raise Wrong(f"{[found[c] for c in wrong]} {said}")
    if os.stat(key).st_mode & 0o777 != 0o600:
        raise Wrong("the key is still open to all")
    print("  " + said.replace("\n", "\n  "))
    host.ns.sysctl({"net/ipv4/conf/all/rp_filter": 0})


def network(host):
    code, document = host.ask("netcheck")
    hub = document["hubs"][0]
    seen = (code, document["udp"], document["nat"]["mapping"], document["mtu"], hub["state"])
    if seen != (0, True, "none", 1500, "online"):
        raise Wrong(f"{seen}: {document}")
    if not 0 < hub["rtt"] < 1 or abs(document["clock_offset"]) > 1:
        raise Wrong(f"{document}")
    with firewall_far(host):
        code, document = host.ask("netcheck")
        if code != 6 or document["udp"] is not False:
            raise Wrong(f"exit {code}: {document}")


def recorded(node):
    """events, log and bugreport of the daemon, which has just come up."""
    node.cli("wait", "--timeout", "10")
    happened = [json.loads(line) for line in node.cli("--json", "events").splitlines()]
    names = [event["event"] for event in happened]
    if names[0] != "started" or "hub_attached" not in names:
        raise Wrong(f"{happened}")
    node.cli("log")
    path = node.dir + ".tar"
    node.cli("bugreport", "-o", path)
    with open(path, "rb") as file:
        archive = file.read()
    with open(os.path.join(node.dir, "state", "identity.key"), "rb") as file:
        if file.read().strip() in archive:
            raise Wrong("the report holds the key")
    if os.stat(path).st_mode & 0o777 != 0o600:
        raise Wrong("the report is open to others")
    if b"hub_attached" not in archive or b"E_HUB_UNREACHABLE" not in archive:
        raise Wrong("the report lacks what the verbs say")


def with_daemon(host):
    """A running daemon's own device, port and range are no faults."""
    host.node.up()
    try:
        healthy(host)
        code, document = host.ask("netcheck")
        if code != 0 or document["nat"]["of"] != "daemon":
            raise Wrong(f"exit {code}: {document}")
        recorded(host.node)
    finally:
        host.node.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ginnel", required=True)
    parser.add_argument("--skew", required=True)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    cases = {"healthy": healthy,
             **{f.__name__: lambda host, f=f: provoked(host, f) for f in FAULTS},
             "mended": mended, "network": network, "with_daemon": with_daemon}
    chosen = options.only.split(",") if options.only else list(cases)
    failed = 0
    with World(["open"]) as world, Mesh(os.path.abspath(options.ginnel), world) as mesh:
        if mesh.peers[0].failure:
            print(f"FAILED to begin: {mesh.peers[0].failure}")
            return 1
        mesh.peers[0].stop()
        host = Patient(world, mesh, os.path.abspath(options.skew))
        host.ns.sysctl({"net/ipv4/conf/all/rp_filter": 0, "net/ipv4/conf/default/rp_filter": 0})
        for name in chosen:
            try:
                cases[name](host)
                print(f"ok     {name}", flush=True)
            except Exception as error:  # one case must not hide the others
                failed += 1
                print(f"FAILED {name}: {error}", flush=True)
        mesh.failed = failed > 0
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
