#!/usr/bin/env python3
"""Stock WireGuard peers of the ginnel daemon: Debian's wireguard-go, with WireGuard's own timers.

    wireguard.py --ginnel build/release/ginnel --minutes 15

A hub with three stock peers. `phone`, behind a NAT, calls it and renews the keys; `office` is
called, so that the hub renews them; `tablet` comes by `ginnel wg export`. While ping -i 0.01 and
iperf3 run through phone and office, the NAT forgets its mapping and takes other ports, and floods of
initiations make both sides demand cookies of each other. No echo may be lost but those in flight
when the NAT changed. Exit 77: it cannot run here. Ends with `N passed, N failed`.
"""
import argparse
import os
import re
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "netns"))

from handshakes import Flood, Watcher  # noqa: E402
from lab import World  # noqa: E402
from load import Ping, Transfer, full_sockets  # noqa: E402
from nodes import PORT, Node, NodeFailed  # noqa: E402
from stock import StockPeer  # noqa: E402

TOOLS = ("wireguard-go", "wg", "iperf3", "ping", "nft", "conntrack", "ip")
PHONE, PHONE6 = "10.66.250.1", "fd00:77::1"
OFFICE, OFFICE_RANGE = "10.77.5.1", "10.77.5.0/24"
FOREIGN = "10.99.0.1"  # nobody's
SETUP_SECONDS = 25  # of the run's minutes: everything before and after the traffic
REKEY_SECONDS = 120
FLOODS = (REKEY_SECONDS - 30, REKEY_SECONDS + 18)  # around each other renewal
REBIND_EVERY, FIRST_REBIND = 75, 25
IN_FLIGHT_SECONDS = 1.0  # after a NAT's change: until the next packet out has gone round
MBIT = 20


class Checks:
    def __init__(self):
        self.passed = self.failed = 0

    def that(self, good, text):
        self.passed, self.failed = self.passed + bool(good), self.failed + (not good)
        print(f"{'ok' if good else 'FAILED':7} {text}", flush=True)


def answered(ns, target, *options, count=3):
    """How many of a few pings were answered."""
    said = ns.run("ping", "-n", "-c", str(count), "-i", "0.2", "-W", "2", *options, target,
                  check=False)
    found = re.search(r"(\d+) received", said)
    return int(found[1]) if found else 0


def wait_until(condition, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return False


class Run:
    """The places and programs of one run."""

    def __init__(self, options, world, folder, checks):
        self.options, self.world, self.folder, self.checks = options, world, folder, checks
        self.nat, self.office_site, self.third_site = world.sites
        place = world.hubs[0]
        self.hub_ns, self.hub_address = place.ns, place.addresses[0]
        self.hub = Node(options.ginnel, place.ns, folder, "hub")
        self.phone = StockPeer(self.nat.peers[0].ns, folder, "phone")
        self.office = StockPeer(self.office_site.peers[0].ns, folder, "office")
        self.tablet = StockPeer(self.third_site.peers[0].ns, folder, "tablet")
        self.windows = []  # (from, to), seconds since 1970: what is lost then was in flight

    @property
    def endpoint(self):
        return f"{self.hub_address}:{PORT}"

    def row(self, name):
        return next((r for r in self.hub.json("peers")["peers"] if r["name"] == name), {})

    # -- set up -----------------------------------------------------------------------------------

    def start_hub(self):
        self.hub.cli("init", "--hub", "--network", "lab", "--name", "hub", "--public",
                     self.endpoint)
        self.psk = self.phone.ns.run("wg", "genpsk").strip()
        with open(os.open(os.path.join(self.hub.dir, "phone.psk"), os.O_WRONLY | os.O_CREAT,
                          0o600), "w", encoding="ascii") as file:
            file.write(self.psk + "\n")
        with open(os.path.join(self.hub.dir, "ginnel.toml"), "a", encoding="utf-8") as file:
            file.write(f'''
[[wireguard.peer]]
name = "phone"
public_key = "{self.phone.public}"
psk_file = "phone.psk"
allowed_ips = ["{PHONE}/32", "{PHONE6}/128"]

[[wireguard.peer]]
name = "office"
public_key = "{self.office.public}"
endpoint = "{self.office_site.external}:51820"
allowed_ips = ["{OFFICE_RANGE}"]
''')
        self.hub.up()
        self.key = self.hub.json("wg", "show")["public_key"]
        self.v4, self.v6 = self.hub.addresses

    def start_peers(self):
        self.phone.configure(self.key, [f"{self.v4}/32", f"{self.v6}/128"],
                             endpoint=self.endpoint, preshared=self.psk)
        self.phone.up([f"{PHONE}/32", f"{PHONE6}/128"], [f"{self.v4}/32", f"{self.v6}/128"])
        # No endpoint: it learns where the hub is when it is called.
        self.office.configure(self.key, [f"{self.v4}/32"], port=51820)
        self.office.up([f"{OFFICE}/32"], [f"{self.v4}/32"])

    # -- the short checks -------------------------------------------------------------------------

    def check_export(self):
        """`wg export`, and what it prints used as it is."""
        config = self.hub.cli("wg", "export", "tablet")
        address = re.search(r"Address = ([\d.]+)/32, (\S+)", config)
        self.tablet.load("".join(line + "\n" for line in config.splitlines()
                                 if not line.startswith(("Address", "MTU"))))
        mtu = int(re.search(r"MTU = (\d+)", config)[1])
        self.tablet.up([f"{address[1]}/32", address[2]], [f"{self.v4}/32", f"{self.v6}/128"], mtu)
        self.checks.that(answered(self.tablet.ns, self.v4), "an exported peer reaches the node")
        self.checks.that(answered(self.tablet.ns, self.v6), "also over IPv6")
        self.checks.that(answered(self.hub_ns, address[1]), "and the node reaches it")
        # Afterwards only the file knows it: check_restarted.
        self.hub.stop()
        self.hub.up()

    def check_restarted(self):
        self.checks.that(answered(self.tablet.ns, self.v4),
                         "the exported peer is let in again after the node's restart")

    def check_sessions(self):
        self.checks.that(answered(self.phone.ns, self.v4), "phone calls the hub")
        self.checks.that(answered(self.hub_ns, OFFICE), "the hub calls office")
        self.checks.that(answered(self.phone.ns, self.v6), "IPv6 with phone")
        row = self.row("phone")
        path = row.get("path") or {}
        self.checks.that(row.get("state") == "online" and row.get("id", "") is None
                         and path.get("kind") == "direct"
                         and path.get("endpoint", "").startswith(self.nat.external + ":"),
                         f"phone is a row: {row.get('state')}, {path}")

    def check_sources(self):
        self.office.ns.run("ip", "address", "add", f"{FOREIGN}/32", "dev", "lo")
        self.hub_ns.run("ip", "route", "add", f"{FOREIGN}/32", "via", "203.0.113.1", "dev", "wan")
        self.checks.that(answered(self.office.ns, self.v4, "-I", OFFICE, count=2) == 2,
                         "office is heard from its range")
        self.checks.that(answered(self.office.ns, self.v4, "-I", FOREIGN, count=2) == 0,
                         "and not from an address outside of it")

    # -- the long one -----------------------------------------------------------------------------

    def rebind(self, number):
        """The mapping is forgotten; each other time the ports become random, too."""
        random = number % 2 == 0
        before, start = self.where_phone_is(), time.time()
        self.world.rekind(self.nat, "symmetric" if random else "portrestricted")
        self.windows.append((start - 0.2, time.time() + IN_FLIGHT_SECONDS))
        if random:
            self.checks.that(wait_until(lambda: self.where_phone_is() != before, 5),
                             f"phone moved from {before} to {self.where_phone_is()}")

    def where_phone_is(self):
        return (self.row("phone").get("path") or {}).get("endpoint")

    def events(self, seconds):
        """[(second, function)] in order."""
        rebinds = range(FIRST_REBIND, int(seconds) - 10, REBIND_EVERY)
        out = [(at, lambda n=n: self.rebind(n)) for n, at in enumerate(rebinds)]
        for base in range(0, int(seconds), 2 * REKEY_SECONDS + 10):
            if base + FLOODS[1] < seconds:
                out.append((base + FLOODS[0], self.start_floods))
                out.append((base + FLOODS[1], self.stop_floods))
        return sorted(out, key=lambda event: event[0])

    def start_floods(self):
        third = self.third_site
        self.floods = [Flood(third.peers[0].ns, third.external, (self.hub_address, PORT), self.key),
                       Flood(third.peers[0].ns, third.external,
                             (self.office_site.external, 51820), self.office.public)]
        for flood in self.floods:
            flood.__enter__()

    def stop_floods(self):
        for flood in self.floods:
            flood.__exit__()
        sent, cookies = ([f.sent for f in self.floods], [f.cookies for f in self.floods])
        self.checks.that(all(cookies), f"floods of {sent} initiations were answered by {cookies} "
                                       "cookies (hub, office)")
        self.floods = []

    def check_traffic(self, seconds):
        path = lambda name: os.path.join(self.folder, name + ".ping")  # noqa: E731
        pings = [Ping("phone to hub", self.phone.ns, self.v4, path("phone")),
                 Ping("hub to phone", self.hub_ns, PHONE, path("hub-phone")),
                 Ping("office to hub", self.office.ns, self.v4, path("office")),
                 Ping("hub to office", self.hub_ns, OFFICE, path("hub-office"))]
        flow = int(seconds) - 2
        transfers = [Transfer("TCP phone to hub", self.phone.ns, self.hub_ns, self.v4, flow, MBIT,
                              5201),
                     Transfer("TCP hub to office", self.hub_ns, self.office.ns, OFFICE, flow, MBIT,
                              5202)]
        start = time.monotonic()
        for ping in pings:
            ping.start()
        events = self.events(seconds)
        while (now := time.monotonic() - start) < seconds:
            while events and events[0][0] <= now:
                events.pop(0)[1]()
            time.sleep(0.1)
        for ping in pings:
            ping.stop()
            self.judge_ping(ping)
        for transfer in transfers:
            transfer.finish()
            self.judge_transfer(transfer)
        places = {"hub": self.hub_ns, "phone": self.phone.ns, "office": self.office.ns}
        full = {who: full_sockets(ns) for who, ns in places.items()}
        self.checks.that(not any(full.values()), f"datagrams that found a full socket: {full}")

    def in_flight(self, begin, end):
        return any(begin < w[1] and end > w[0] for w in self.windows)

    def judge_ping(self, ping):
        lost = [at for at in ping.lost if not self.in_flight(at, at)]
        excused = len(ping.lost) - len(lost)
        when = sorted({round(at - ping.started) for at in lost})[:10]
        self.checks.that(ping.sent > 0 and not lost and not ping.doubled,
                         f"{ping.label}: {ping.sent} echoes, {len(lost)} lost (at {when} s), "
                         f"{excused} in flight at a NAT's change, {ping.doubled} doubled")

    def judge_transfer(self, transfer):
        stalls = [s for s in transfer.stalls if not self.in_flight(*s)]
        when = [round(begin - transfer.started) for begin, _ in stalls]
        wanted = MBIT * 1e6 / 8 * transfer.seconds * 0.9
        self.checks.that(not transfer.error and transfer.bytes >= wanted and not stalls,
                         f"{transfer.label}: {transfer.bytes / 1e6:.0f} MB at {MBIT} Mbit/s, "
                         f"without a byte for a second at {when}, {transfer.retransmits} segments "
                         f"sent again {transfer.error}")

    def judge_handshakes(self, watcher, seconds):
        hub, office, nat = self.hub_address, self.office_site.external, self.nat.external
        renewals = 1 + int(seconds / (REKEY_SECONDS + 8))
        for who, a, b in (("office, by the hub", hub, office), ("phone, by itself", nat, hub)):
            answers = watcher.seen["response", b, a]
            self.checks.that(answers >= renewals,
                             f"keys of {who}: {answers} handshakes of at least {renewals}")
            if seconds > FLOODS[1]:
                cookies = watcher.seen["cookie", b, a]
                proofs = watcher.with_cookie["initiation", a, b]
                self.checks.that(cookies and proofs, f"a cookie was demanded {cookies} times and "
                                                     f"shown {proofs} times")
        wrong = self.phone.count("invalid IP version") + self.office.count("invalid IP version")
        self.checks.that(wrong == 0, "neither got anything but IP packets")


def run_all(options, checks):
    folder = tempfile.mkdtemp(prefix=f"gi{os.getpid()}-")
    seconds = options.minutes * 60 - SETUP_SECONDS
    try:
        with World(["portrestricted", "open", "open"]) as world:
            run = Run(options, world, folder, checks)
            try:
                run.start_hub()
                with run.phone, run.office, run.tablet, \
                        Watcher(run.hub_ns, "wan", run.third_site.external) as watcher:
                    run.check_export()
                    run.start_peers()
                    run.check_sessions()
                    run.check_sources()
                    run.check_traffic(seconds)
                    run.check_restarted()
                    run.judge_handshakes(watcher, seconds)
            finally:
                run.hub.stop()
                if checks.failed:
                    print(f"--- log of hub\n{run.hub.tail()}", end="")
    except NodeFailed as error:
        checks.that(False, str(error))
    if checks.failed:
        print(f"logs are kept in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ginnel", required=True, help="the program under test")
    parser.add_argument("--minutes", type=float, default=4, help="of the whole run; at least 1")
    options = parser.parse_args()
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing or os.geteuid() != 0 or not os.path.exists("/dev/net/tun"):
        print(f"skipped: needs root, /dev/net/tun and {', '.join(missing) or 'nothing else'}")
        return 77
    options.ginnel = os.path.abspath(options.ginnel)
    checks = Checks()
    run_all(options, checks)
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
