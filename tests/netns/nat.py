"""The kinds of sites, and the nftables rules that make them.

To add a kind: give it a row in KINDS (how it is built), its rules in `ruleset`, and a row in
classifier.py's EXPECTED, which proves that the rules do what their name says.
"""
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Kind:
    rules: str  # whose rules the box toward the internet has
    nat: bool = True  # False: the peer itself holds the public address
    homes: int = 0  # boxes of the home kind behind the carrier's one
    peers: int = 1  # per home, or behind the one box
    delayed: bool = False  # its first site hears the hub DELAY_SECONDS late


KINDS = {
    "open": Kind("open", nat=False),
    "firewall": Kind("firewall", nat=False),
    "fullcone": Kind("fullcone"),
    "restricted": Kind("restricted"),
    "portrestricted": Kind("portrestricted"),
    "linuxclash": Kind("linuxclash", delayed=True),
    "symmetric": Kind("symmetric"),
    "symseq": Kind("symseq"),
    "samelan": Kind("portrestricted", peers=2),
    "samelanhp": Kind("hairpin", peers=2),
    "cgnat": Kind("portrestricted", homes=1),
    "cgnatsym": Kind("symmetric", homes=1),
    "cgnatpair": Kind("portrestricted", homes=2),
    "udpblocked": Kind("udpblocked"),
    "tcp443": Kind("tcp443"),
}


@dataclass(frozen=True)
class Spec:
    """One site as asked for: `portrestricted+v6+mtu1400`."""
    kind: str
    v6: bool = False
    mtu: int = 1500

    @classmethod
    def parse(cls, text):
        kind, *options = text.split("+")
        if kind not in KINDS:
            raise ValueError(f"no such kind: {kind} (one of {', '.join(KINDS)})")
        spec = cls(kind)
        for option in options:
            if option == "v6":
                spec = replace(spec, v6=True)
            elif option.startswith("mtu") and option[3:].isdigit():
                spec = replace(spec, mtu=int(option[3:]))
            else:
                raise ValueError(f"no such option: {option} (v6 or mtuBYTES)")
        return spec


@dataclass(frozen=True)
class Timeouts:
    """Seconds a NAT remembers a UDP flow: one way only, and once answered."""
    udp: int = 30
    stream: int = 120


SEQUENTIAL_PORTS = 4096  # symseq counts through so many, from 30000


def ruleset(rules, external="", lan="", timeouts=Timeouts()):
    """The complete nft script of one box, replacing what it had.

    `external`: the public IPv4 address; `lan`: the inside prefix, both empty without NAT.
    """
    if rules == "open":
        return "flush ruleset\n"
    tables = filter_chains(rules)
    if rules != "firewall":
        tables += nat_chains(rules, external, lan, timeouts)
    return f"flush ruleset\ntable inet lab {{\n{tables}}}\n"


def filter_chains(rules):
    forwarded = {"udpblocked": "meta l4proto tcp", "tcp443": "tcp dport 443"}.get(rules, "")
    # The drop at the end of input keeps an early packet of the far side out of conntrack. A Linux
    # router without it (linuxclash) confirms the entry, which then occupies the reply tuple: the
    # inside host's own packet leaves from another port.
    unsolicited = "accept" if rules == "linuxclash" else "drop"
    return f"""
  chain input {{
    type filter hook input priority filter; policy {unsolicited};
    iifname != "wan" accept
    ct state established,related accept
    icmp type echo-request accept
    icmpv6 type {{ echo-request, nd-neighbor-solicit, nd-neighbor-advert }} accept
  }}
  chain forward {{
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    ct status dnat accept
    iifname "lan" oifname "wan" {forwarded} accept
  }}
"""


def nat_chains(rules, external, lan, timeouts):
    """Inside to outside is rewritten in postrouting; cones also let the outside in."""
    if rules in ("fullcone", "restricted", "hairpin"):
        return cone_chains(rules, external, lan, timeouts.udp)
    return postrouting(rules, external)


def postrouting(rules, external, hairpin=""):
    udp = ""
    everything = "masquerade"
    if rules == "symmetric":
        # Without fully-random Linux re-uses the port of a source for all its destinations.
        everything = "masquerade fully-random"
    elif rules == "symseq":
        # A map, as a bare `numgen inc offset 30000` comes out byte-swapped, in steps of 256.
        ports = ", ".join(f"{i} : {30000 + i}" for i in range(SEQUENTIAL_PORTS))
        udp = (f'oifname "wan" meta nfproto ipv4 meta l4proto udp snat ip to '
               f"{external} : numgen inc mod {SEQUENTIAL_PORTS} map {{ {ports} }}")
    return f"""
  chain postrouting {{
    type nat hook postrouting priority srcnat;
    {hairpin}
    {udp}
    oifname "wan" meta nfproto ipv4 {everything}
  }}
"""


def cone_chains(rules, external, lan, seconds):
    """Linux keeps the inside port, so the map's key, the inside port, is the outside port too."""
    known = 'udp dport . ip saddr @adf' if rules == "restricted" else ""
    hairpin_in = hairpin_out = ""
    if rules == "hairpin":
        hairpin_in = (f'iifname "lan" ip daddr {external} meta l4proto udp '
                      "dnat ip to udp dport map @eim")
        hairpin_out = f'oifname "lan" ct status dnat ip saddr {lan} snat ip to {external}'
        inward = ""
    else:
        inward = f'iifname "wan" meta l4proto udp {known} dnat ip to udp dport map @eim'
    return f"""
  map eim {{
    type inet_service : ipv4_addr . inet_service
    flags dynamic,timeout
    timeout {seconds}s
    size 65535
  }}
  set adf {{
    type inet_service . ipv4_addr
    flags dynamic,timeout
    timeout {seconds}s
    size 65535
  }}
  chain learn {{
    type filter hook prerouting priority mangle;
    iifname "lan" ip saddr {lan} meta l4proto udp update @eim {{ udp sport : ip saddr . udp sport }}
    iifname "lan" ip saddr {lan} meta l4proto udp update @adf {{ udp sport . ip daddr }}
  }}
  chain prerouting {{
    type nat hook prerouting priority dstnat;
    {hairpin_in}
    {inward}
  }}
{postrouting("portrestricted", external, hairpin_out)}"""


def core_ruleset(hops):
    """The internet: pairs that cannot reach each other, losses, and more hops than one.

    `hops`: the core counts as so many more routers, so that low-TTL packets die in it wherever they
    come from. Seen in forward, after the core's own decrement.
    """
    return f"""flush ruleset
table inet core {{
  set blocked {{ type ipv4_addr . ipv4_addr; }}
  set blocked6 {{ type ipv6_addr . ipv6_addr; flags interval; }}
  chain loss {{ }}
  chain forward {{
    type filter hook forward priority filter; policy accept;
    ip ttl <= {hops} drop
    ip6 hoplimit <= {hops} drop
    ip saddr . ip daddr @blocked drop
    ip6 saddr . ip6 daddr @blocked6 drop
    jump loss
  }}
}}
"""
