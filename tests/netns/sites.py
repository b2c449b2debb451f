"""One site of the lab: its boxes and peers, and the commands that wire them up.

    core -- wan [box] lan -- eth0 [peer]                      most kinds
    core -- wan [peer]                                        open, firewall
    core -- wan [carrier] lan -- wan [home] lan -- eth0 [peer]   cgnat…
"""
from dataclasses import dataclass

from nat import KINDS, Timeouts, ruleset
from netns import Namespace

CORE = "203.0.113.1"  # the core's address, the same on each of its links
CORE6 = "fe80::1"

ROUTER_SYSCTLS = {
    "net/ipv4/ip_forward": 1,
    "net/ipv6/conf/all/forwarding": 1,
}
COMMON_SYSCTLS = {
    "net/ipv4/conf/all/rp_filter": 0,
    "net/ipv4/conf/default/rp_filter": 0,
    "net/ipv6/conf/default/accept_dad": 0,
    "net/ipv4/ping_group_range": "0 2147483647",
}
# This kernel filters what a bridge passes in every namespace: two hosts on one LAN would have to
# pass the NAT's forward chain, and all their packets would be lost.
BRIDGE_SYSCTLS = {f"net/bridge/bridge-nf-call-{table}": 0
                  for table in ("iptables", "ip6tables", "arptables")}


@dataclass
class Peer:
    """Where a program runs: a namespace with one address on its LAN (or the public one)."""
    name: str
    ns: Namespace
    address: str
    address6: str = ""


@dataclass
class Box:
    """Who has rules: a router, or a bare peer with `lan` empty."""
    ns: Namespace
    rules: str
    lan: str


def wan_lines(address, gateway=CORE, dev="wan"):
    """One address of its own, everything else through the gateway; replaces, so it may repeat."""
    return [f"address replace {address}/32 dev {dev}",
            f"link set {dev} up",
            f"route replace {gateway}/32 dev {dev} scope link",
            f"route replace default via {gateway} dev {dev} onlink"]


class Site:
    def __init__(self, prefix, name, spec, number, timeouts=Timeouts(), overlap=False):
        self.prefix, self.name, self.spec, self.number = prefix, name, spec, number
        self.kind = KINDS[spec.kind]
        self.timeouts = timeouts
        self.addresses = [f"203.0.113.{number}", f"198.51.100.{number}"]
        self.external = self.addresses[0]
        self.prefix6 = f"2001:db8:{number:x}::/48" if spec.v6 else ""
        self.up = f"up{number}"  # the core's end of the link
        self.subnet = 1 if overlap else number
        self.boxes, self.peers = [], []
        self.links, self.lines = [], {}  # root's `link add`s, and what each namespace then runs
        self._lay_out()
        self.namespaces = [box.ns for box in self.boxes] + [p.ns for p in self.peers if p.ns not in
                                                            [box.ns for box in self.boxes]]

    def v6(self, subnet, host):
        return f"2001:db8:{self.number:x}:{subnet}::{host}"

    # Where the link to the core ends: the carrier's or home's box, or the peer itself.
    @property
    def edge(self):
        return self.boxes[0].ns

    def _lay_out(self):
        if not self.kind.nat:
            self._lay_out_bare()
        elif self.kind.homes:
            self._lay_out_carrier()
        else:
            box = self._add_box("nat", self.kind.rules, f"192.168.{self.subnet}", 1)
            self._connect_core(box.ns)
            for i in range(self.kind.peers):
                suffix = "ab"[i] if self.kind.peers > 1 else ""
                self._add_peer(suffix, box.ns, f"192.168.{self.subnet}", i + 2, 1)

    def _lay_out_bare(self):
        ns = Namespace(self.prefix + self.name)
        self.boxes.append(Box(ns, self.kind.rules, ""))
        self._connect_core(ns)
        address6 = ""
        if self.spec.v6:
            address6 = self.v6(1, 2)
            self.lines[ns].append(f"address replace {address6}/128 dev wan nodad")
        self.peers.append(Peer(self.name, ns, self.external, address6))

    def _lay_out_carrier(self):
        lan = f"100.64.{self.number}"
        carrier = self._add_box("carrier", self.kind.rules, lan, 1)
        self._connect_core(carrier.ns)
        for i in range(self.kind.homes):
            inside, subnet6 = f"192.168.{self.subnet}", 16 + i
            home = self._add_box(f"home{i + 1}", "portrestricted", inside, subnet6)
            self._plug(home.ns, "wan", carrier.ns, f"l{i + 2}")
            self.lines[home.ns] += wan_lines(f"{lan}.{i + 2}", f"{lan}.1")
            if self.spec.v6:
                self.lines[home.ns] += [
                    f"address replace {self.v6(1, i + 2)}/64 dev wan nodad",
                    f"route replace ::/0 via {self.v6(1, 1)} dev wan"]
                self.lines[carrier.ns].append(
                    f"route replace {self.v6(subnet6, '')}/64 via {self.v6(1, i + 2)} dev lan")
            suffix = "ab"[i] if self.kind.homes > 1 else ""
            self._add_peer(suffix, home.ns, inside, 2, subnet6)

    def _add_box(self, name, rules, lan, subnet6):
        ns = Namespace(f"{self.prefix}{self.name}-{name}")
        self.boxes.append(Box(ns, rules, f"{lan}.0/24"))
        self.lines[ns] = ["link set lo up", "link add lan type bridge",
                          f"address add {lan}.1/24 dev lan", "link set lan up"]
        if self.spec.v6:
            self.lines[ns].append(f"address add {self.v6(subnet6, 1)}/64 dev lan nodad")
        return self.boxes[-1]

    def _add_peer(self, suffix, box, lan, host, subnet6):
        ns = Namespace(f"{self.prefix}{self.name}{suffix}")
        self.lines[ns] = ["link set lo up"]
        self._plug(ns, "eth0", box, f"l{host}")
        self.lines[ns] += [f"address add {lan}.{host}/24 dev eth0", "link set eth0 up",
                           f"route add default via {lan}.1"]
        address6 = ""
        if self.spec.v6:
            address6 = self.v6(subnet6, host)
            self.lines[ns] += [f"address add {address6}/64 dev eth0 nodad",
                               f"route add ::/0 via {self.v6(subnet6, 1)} dev eth0"]
        self.peers.append(Peer(self.name + suffix, ns, f"{lan}.{host}", address6))

    def _plug(self, ns, dev, box, port):
        """A cable from a device to a port of the box's LAN."""
        self.links.append(f"link add {port} netns {box.name} type veth peer name {dev} "
                          f"netns {ns.name}")
        self.lines[box] += [f"link set {port} master lan", f"link set {port} up"]

    def _connect_core(self, ns):
        self.links.append(f"link add {self.up} netns {self.prefix}core mtu {self.spec.mtu} "
                          f"type veth peer name wan netns {ns.name} mtu {self.spec.mtu}")
        self.lines.setdefault(ns, ["link set lo up"])
        self.lines[ns] += self.edge_lines()

    def edge_lines(self):
        """Our end of the link to the core. Again after a roam."""
        lines = wan_lines(self.external)
        if self.spec.v6:
            lines += ["address replace fe80::2/64 dev wan nodad",
                      f"route replace ::/0 via {CORE6} dev wan"]
        return lines

    def core_lines(self):
        """The core's end. Again after the link was down, which loses routes."""
        lines = [f"link set {self.up} up", f"address replace {CORE}/32 dev {self.up}",
                 f"route replace {self.external}/32 dev {self.up}"]
        if self.spec.v6:
            lines += [f"address replace {CORE6}/64 dev {self.up} nodad",
                      f"route replace {self.prefix6} via fe80::2 dev {self.up}"]
        return lines

    def sysctls(self, ns):
        settings = dict(COMMON_SYSCTLS)
        box = next((b for b in self.boxes if b.ns == ns), None)
        if box and box.lan:
            settings |= ROUTER_SYSCTLS | BRIDGE_SYSCTLS
        if box and box.rules != "open":
            settings |= {"net/netfilter/nf_conntrack_udp_timeout": self.timeouts.udp,
                         "net/netfilter/nf_conntrack_udp_timeout_stream": self.timeouts.stream}
        return settings

    def load_rules(self):
        for box in self.boxes:
            # Only the outermost box has the public address; homes masquerade.
            external = self.external if box is self.boxes[0] else ""
            box.ns.run("nft", "-f", "-",
                       text=ruleset(box.rules, external, box.lan, self.timeouts))

    def forget_flows(self):
        """Every box loses its NAT state, as in a reboot."""
        for box in self.boxes:
            box.ns.run("conntrack", "-F", check=False)
            for table in ("map inet lab eim", "set inet lab adf"):
                box.ns.run("nft", f"flush {table}", check=False)
