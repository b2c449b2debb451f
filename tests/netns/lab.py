#!/usr/bin/env python3
"""A little internet of network namespaces, with NATs made of nftables.

    with World(["portrestricted", "fullcone+v6"]) as world:
        a, b = world.sites
        a.peers[0].ns.run("ping", "-c1", world.hubs[0].addresses[0])
        world.block(a, b)  # only the relay is left

On the command line: `lab.py up --kinds portrestricted,fullcone --shell` and `lab.py verify`.
Needs root. Everything is gone at the end of the `with` block, also after ^C and exceptions.
"""
import argparse
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from nat import KINDS, Spec, Timeouts, core_ruleset
from netns import Namespace, call, end_all_in
from sites import (COMMON_SYSCTLS, CORE, CORE6, ROUTER_SYSCTLS, Site, wan_lines)

HERE = os.path.dirname(os.path.abspath(__file__))
HUB_LINKS_MAX = 4  # their addresses are 203.0.113.2 to .9
FIRST_SITE = 10
SITES_MAX = 240  # what is left of the /24
DELAY_SECONDS = 0.2  # how late the delayed site of a kind hears the hub
DEFAULT_HOPS = 4  # more routers in the core, so that packets of TTL 2, 3 and 4 never cross it
DELAY_TABLE = 100


class Hub:
    """A host with two public addresses, as a classifier of NATs needs them."""

    def __init__(self, prefix, number, v6):
        self.name = "hub" if number == 0 else f"hub{number + 1}"
        self.ns = Namespace(prefix + self.name)
        self.addresses = [f"203.0.113.{2 + 2 * number}", f"203.0.113.{3 + 2 * number}"]
        self.address6 = f"2001:db8:ff{number:02x}::2" if v6 else ""
        self.up = f"hub{number}"


class World:
    def __init__(self, kinds, hubs=1, hops=DEFAULT_HOPS, timeouts=Timeouts(), overlap=False):
        """`kinds`: texts such as `cgnat` or `open+v6+mtu1400`, one site each.

        `overlap`: every LAN is 192.168.1.0/24, so that a wrong host may answer a private address.
        """
        if hubs > HUB_LINKS_MAX or len(kinds) > SITES_MAX:
            raise ValueError("too many hubs or sites for the address plan")
        self.prefix = f"gl{os.getpid()}x{next_serial()}-"
        self.core = Namespace(self.prefix + "core")
        specs = [Spec.parse(kind) for kind in kinds]
        v6 = any(spec.v6 for spec in specs)
        self.hubs = [Hub(self.prefix, i, v6) for i in range(hubs)]
        self.sites = []
        for i, spec in enumerate(specs):
            rank = 1 + sum(s.spec.kind == spec.kind for s in self.sites)
            self.sites.append(Site(self.prefix, f"{spec.kind}-{rank}", spec, FIRST_SITE + i,
                                   timeouts, overlap))
        self.hops = hops
        self.peers = [peer for site in self.sites for peer in site.peers]
        self._delays, self._delayer = {}, None

    # -- life ---------------------------------------------------------------------------------

    def __enter__(self):
        self._handlers = terminate_by_exception()
        try:
            self._build()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_):
        with deaf_to_signals():
            existing = set(os.listdir("/run/netns")) if os.path.isdir("/run/netns") else set()
            mine = [ns for ns in self.namespaces() if ns.name in existing]
            end_all_in(mine)
            if self._delayer:
                self._delayer.communicate()
            call("ip", "-force", "-batch", "-", check=False,
                 text="".join(f"netns del {ns.name}\n" for ns in mine))
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def namespaces(self):
        return [self.core, *(hub.ns for hub in self.hubs),
                *(ns for site in self.sites for ns in site.namespaces)]

    def _build(self):
        call("ip", "-batch", "-",
             text="".join(f"netns add {ns.name}\n" for ns in self.namespaces()))
        self.core.sysctl(COMMON_SYSCTLS | ROUTER_SYSCTLS)
        links = [f"link add {hub.up} netns {self.core.name} type veth peer name wan "
                 f"netns {hub.ns.name}" for hub in self.hubs]
        for site in self.sites:
            for ns in site.namespaces:
                ns.sysctl(site.sysctls(ns))
            links += site.links
        call("ip", "-batch", "-", text="\n".join(links) + "\n")
        self.core.run("nft", "-f", "-", text=core_ruleset(self.hops))
        self.core.ip(["link set lo up"])
        for hub in self.hubs:
            self._connect_hub(hub)
        self.core.ip([line for site in self.sites for line in site.core_lines()])
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(self._finish_site, self.sites))

    def _finish_site(self, site):
        for ns, lines in site.lines.items():
            ns.ip(lines)
        site.load_rules()

    def _connect_hub(self, hub):
        first, second = hub.addresses
        lines = ["link set lo up", *wan_lines(first), f"address add {second}/32 dev wan"]
        core = [f"link set {hub.up} up", f"address add {CORE}/32 dev {hub.up}",
                f"route add {first}/32 dev {hub.up}", f"route add {second}/32 dev {hub.up}"]
        if hub.address6:
            lines += ["address add fe80::2/64 dev wan nodad",
                      f"address add {hub.address6}/128 dev wan nodad",
                      f"route add ::/0 via {CORE6} dev wan src {hub.address6}"]
            core += [f"address add {CORE6}/64 dev {hub.up} nodad",
                     f"route add {hub.address6}/128 via fe80::2 dev {hub.up}"]
        hub.ns.sysctl(COMMON_SYSCTLS)
        hub.ns.ip(lines)
        self.core.ip(core)

    # -- what may happen to a site ------------------------------------------------------------

    def rebind(self, site):
        """The NAT reboots: all mappings are gone."""
        site.forget_flows()

    def roam(self, site):
        """The site's public address changes to its other one; the old one leads nowhere."""
        old = site.external
        site.external = next(a for a in site.addresses if a != old)
        self.core.ip([*site.core_lines(), f"route del {old}/32 dev {site.up}"])
        site.edge.ip([f"address del {old}/32 dev wan", *site.edge_lines()])
        if not site.kind.nat:
            site.peers[0].address = site.external
        site.load_rules()
        site.forget_flows()
        if site.name in self._delays:
            self.delay(site, self._delays[site.name])

    def rekind(self, site, rules):
        """The outermost box gets other rules (the name of a kind of one box)."""
        site.boxes[0].rules = KINDS[rules].rules
        site.load_rules()
        site.forget_flows()

    def block(self, a, b):
        """No packet passes between the two sites' public addresses; each still reaches the hubs."""
        self._change_block("add", a, b)

    def unblock(self, a, b):
        self._change_block("delete", a, b)

    def _change_block(self, verb, a, b):
        pair = f"{a.external} . {b.external}, {b.external} . {a.external}"
        script = f"{verb} element inet core blocked {{ {pair} }}\n"
        if a.prefix6 and b.prefix6:
            pair = f"{a.prefix6} . {b.prefix6}, {b.prefix6} . {a.prefix6}"
            script += f"{verb} element inet core blocked6 {{ {pair} }}\n"
        self.core.run("nft", "-f", "-", text=script)

    def cut(self, site):
        self.core.ip([f"link set {site.up} down"])

    def join(self, site):
        self.core.ip(site.core_lines())

    def rate(self, site, mbit):
        """Limits the site's link both ways; 0 lifts the limit."""
        for ns, dev in ((self.core, site.up), (site.edge, "wan")):
            if mbit:
                ns.run("tc", "qdisc", "replace", "dev", dev, "root", "tbf", "rate", f"{mbit}mbit",
                       "burst", "64kb", "latency", "50ms")
            else:
                ns.run("tc", "qdisc", "del", "dev", dev, "root", check=False)

    def loss(self, site, percent):
        """Drops so many of the site's packets at random, both ways; 0 drops none."""
        script = "".join(f"add rule inet core loss {way} {site.up} "
                         f"numgen random mod 10000 < {round(percent * 100)} drop\n"
                         for way in ("iifname", "oifname") if percent)
        handles = re.findall(rf'"{site.up}" .*# handle (\d+)',
                             self.core.run("nft", "-a", "list", "chain", "inet", "core", "loss"))
        gone = "".join(f"delete rule inet core loss handle {handle}\n" for handle in handles)
        if gone or script:
            self.core.run("nft", "-f", "-", text=gone + script)

    def delay(self, site, seconds=DELAY_SECONDS):
        """Holds back what the hubs send to this site, as if they were far away one way."""
        self._delays[site.name] = seconds
        if self._delayer:
            self._delayer.terminate()
            self._delayer.communicate()
        held = {s.name: s for s in self.sites if self._delays.get(s.name)}
        arguments = [f"{prefix}={self._delays[name]}" for name, s in held.items()
                     for prefix in (s.external + "/32", s.prefix6) if prefix]
        if not arguments:
            self._delayer = None
            return
        # The namespace is entered by exec alone, so the pid is the forwarder's own.
        self._delayer = subprocess.Popen(
            self.core.command(sys.executable, f"{HERE}/delay.py", "delay0", *arguments),
            stdout=subprocess.PIPE, text=True)
        if self._delayer.stdout.readline().strip() != "ready":
            raise RuntimeError("the delay forwarder did not start")
        self._route_through_delay(held.values())

    def _route_through_delay(self, sites):
        """Only what comes in from a hub takes the detour; what the forwarder puts back does not."""
        flush = [f"{family} rule flush table {DELAY_TABLE}" for family in ("-4", "-6")]
        for line in flush:
            self.core.run("ip", *line.split(), check=False)
        lines = [f"route replace default dev delay0 table {DELAY_TABLE}",
                 f"route replace ::/0 dev delay0 table {DELAY_TABLE}"]
        for hub in self.hubs:
            for site in sites:
                lines.append(f"rule add iif {hub.up} to {site.external} lookup {DELAY_TABLE}")
                if site.prefix6:
                    lines.append(f"rule add iif {hub.up} to {site.prefix6} "
                                 f"lookup {DELAY_TABLE}")
        self.core.ip(lines)

    def delay_by_kind(self):
        """Delays the first site of each kind that asks for it: linuxclash shows its trap only when
        the far side was introduced earlier."""
        for site in self.sites:
            if site.kind.delayed and site.name.endswith("-1"):
                self.delay(site)

    def conntrack(self, site):
        """What each box of the site remembers, for reading after a failure."""
        return "\n".join(f"[{box.ns.name}]\n{box.ns.run('conntrack', '-L', check=False)}"
                         for box in site.boxes)


_serial = 0


def next_serial():
    global _serial
    _serial += 1
    return _serial


def terminate_by_exception():
    """SIGTERM and SIGHUP unwind like ^C, so that worlds clean up. Returns the former handlers."""
    if threading.current_thread() is not threading.main_thread():
        return {}

    def leave(number, _frame):
        raise SystemExit(128 + number)
    return {n: signal.signal(n, leave) for n in (signal.SIGTERM, signal.SIGHUP)}


@contextlib.contextmanager
def deaf_to_signals():
    """Clean-up takes a second and is not to be cut short by an impatient ^C."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = {n: signal.signal(n, signal.SIG_IGN)
              for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def sweep():
    """Removes what worlds left behind whose program was killed -9; running ones stay."""
    names = os.listdir("/run/netns") if os.path.isdir("/run/netns") else []
    stale = [Namespace(name) for name in names
             if (m := re.match(r"gl(\d+)x\d+-", name)) and not os.path.exists(f"/proc/{m[1]}")]
    end_all_in(stale)
    for ns in stale:
        call("ip", "netns", "del", ns.name, check=False)
    return len(stale)


# -- command line ---------------------------------------------------------------------------------

SHELL_HELP = "`on NAME COMMAND…` runs in a namespace, `exit` removes the world."


def show(world):
    for hub in world.hubs:
        print(f"{hub.name:18} {' '.join(hub.addresses)} {hub.address6}")
    for site in world.sites:
        for peer in site.peers:
            print(f"{peer.name:18} {peer.address:15} behind {site.external} {peer.address6}")
        print(f"{'':18} " + " ".join(ns.name.removeprefix(world.prefix)
                                     for ns in site.namespaces))


def up(options):
    with World(options.kinds.split(","), hubs=options.hubs) as world:
        world.delay_by_kind()
        show(world)
        if options.shell:
            print(SHELL_HELP)
            on = f'on() {{ local n=$1; shift; ip netns exec {world.prefix}"$n" "$@"; }}; '
            subprocess.run(["bash", "-c", on + "export -f on; exec bash --norc"], check=False,
                           env=os.environ | {"PS1": "lab> ", "WORLD": world.prefix})
        else:
            print(f"namespaces {world.prefix}*; ^C removes them")
            with contextlib.suppress(KeyboardInterrupt):
                while True:
                    time.sleep(3600)
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("up", help="build a world and keep it")
    verb.add_argument("--kinds", default="portrestricted,fullcone", help="KIND[+v6][+mtuN],…")
    verb.add_argument("--hubs", type=int, default=1)
    verb.add_argument("--shell", action="store_true", help="open a shell in it")
    verb = verbs.add_parser("verify", help="prove each NAT kind with the classifier")
    verb.add_argument("--kinds", default=",".join(KINDS))
    verbs.add_parser("sweep", help="remove what killed programs left behind")
    verbs.add_parser("kinds", help="list the kinds as JSON")
    options = parser.parse_args()
    if options.verb == "kinds":
        print(json.dumps(list(KINDS)))
        return 0
    if options.verb == "sweep":
        print(f"removed {sweep()} namespaces")
        return 0
    if options.verb == "verify":
        import classifier  # it needs this module
        return classifier.verify(options.kinds.split(","))
    return up(options)


if __name__ == "__main__":
    sys.exit(main())
