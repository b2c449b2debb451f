#!/usr/bin/env python3
"""The lab's own tests: what its NATs allow, and that each fault it can cause really happens."""
import contextlib
import os
import socket
import subprocess
import sys
import time
import unittest

import lab
from classifier import EXPECTED, MAIN, Server, ask, bound, classify, lifetime
from lab import DELAY_SECONDS, World
from nat import Timeouts
from netns import call
from puncher import punch

KINDS = ["open", "firewall", "fullcone", "portrestricted", "portrestricted", "linuxclash",
         "symmetric", "symseq", "cgnat", "samelan", "samelanhp", "cgnatpair", "udpblocked",
         "open+v6", "portrestricted+v6+mtu1400"]


def ping(ns, address, *options):
    return "1 received" in ns.run("ping", "-n", "-c1", "-W1", *options, address, check=False)


def setUpModule():
    global world, server, stack
    stack = contextlib.ExitStack()
    world = stack.enter_context(World(KINDS))
    server = stack.enter_context(Server(world.hubs[0]))


def tearDownModule():
    stack.close()


def site(name):
    return next(s for s in world.sites if s.name == name)


def peer(name):
    return next(p for p in world.peers if p.name == name)


class Punching(unittest.TestCase):
    def pair(self, a, b, **options):
        for s in world.sites:
            if {a, b} & {p.name for p in s.peers}:
                s.forget_flows()
        return punch(peer(a), peer(b), server, **options)[0]

    def test_pairs_of_endpoint_independent_mappings_punch_through(self):
        for a, b in (("open-1", "portrestricted-1"), ("firewall-1", "portrestricted-1"),
                     ("portrestricted-1", "portrestricted-2"), ("cgnat-1", "portrestricted-1")):
            self.assertIsNotNone(self.pair(a, b), f"{a} x {b}")

    def test_a_cone_lets_even_a_symmetric_nat_in(self):
        self.assertIsNotNone(self.pair("symmetric-1", "fullcone-1"))
        self.assertIsNotNone(self.pair("symseq-1", "fullcone-1"))

    def test_a_symmetric_nat_keeps_port_restricted_ones_out(self):
        for other in ("portrestricted-1", "firewall-1", "cgnat-1", "symseq-1"):
            self.assertIsNone(self.pair("symmetric-1", other), other)

    def test_nothing_reaches_a_site_without_udp(self):
        self.assertIsNone(self.pair("udpblocked-1", "open-1"))

    # nat.md: the trap springs when the far side was introduced earlier than by one way's delay.
    def test_a_linux_router_is_lost_to_plain_punching_when_the_far_side_comes_first(self):
        for far in ("firewall-1", "portrestricted-1"):
            self.assertIsNone(self.pair("linuxclash-1", far, a_later=DELAY_SECONDS), far)

    def test_low_ttl_priming_heals_the_linux_trap(self):
        for far in ("firewall-1", "portrestricted-1", "cgnat-1"):
            found = self.pair("linuxclash-1", far, a_later=DELAY_SECONDS, primed=True)
            self.assertIsNotNone(found, far)

    def test_priming_heals_it_in_the_other_order_too(self):
        self.assertIsNotNone(self.pair("firewall-1", "linuxclash-1", a_later=DELAY_SECONDS,
                                       primed=True))

    def test_lan_mates_meet_at_their_private_addresses(self):
        b = peer("samelan-1b")
        self.assertEqual(self.pair("samelan-1a", "samelan-1b")[0], b.address)

    def test_homes_of_one_carrier_without_hairpin_never_meet(self):
        self.assertIsNone(self.pair("cgnatpair-1a", "cgnatpair-1b"))

    def test_a_blocked_pair_never_meets_until_it_is_unblocked(self):
        a, b = site("open-1"), site("portrestricted-2")
        world.block(a, b)
        try:
            self.assertIsNone(self.pair("open-1", "portrestricted-2"))
            self.assertIsNotNone(self.pair("open-1", "portrestricted-1"))
        finally:
            world.unblock(a, b)
        self.assertIsNotNone(self.pair("open-1", "portrestricted-2"))


class Faults(unittest.TestCase):
    def test_rekind_changes_what_the_classifier_says(self):
        s = site("portrestricted-2")
        for kind in ("fullcone", "symmetric", "portrestricted"):
            world.rekind(s, kind)
            self.assertEqual(classify(s.peers[0], server), EXPECTED[kind])

    def test_a_rebind_closes_the_way_in_until_the_next_packet_out(self):
        s = site("portrestricted-1")
        with bound(s.peers[0]) as sock:
            public = ask(sock, server, MAIN, MAIN)
            world.rebind(s)
            server.sockets[MAIN].sendto(b"unsolicited", public)
            time.sleep(0.1)
            with self.assertRaises(BlockingIOError):
                sock.recv(64, socket.MSG_DONTWAIT)
            self.assertEqual(ask(sock, server, MAIN, MAIN), public)

    def test_after_roaming_a_site_is_seen_elsewhere_and_can_come_back(self):
        for name in ("portrestricted-1", "cgnat-1", "firewall-1", "symseq-1"):
            s = site(name)
            with s.peers[0].ns.socket() as sock:
                home = ask(sock, server, MAIN, MAIN)[0]
                world.roam(s)
                away = ask(sock, server, MAIN, MAIN)[0]
                self.assertEqual((home, away), (f"203.0.113.{s.number}", f"198.51.100.{s.number}"))
                self.assertFalse(ping(world.hubs[0].ns, home))
                self.assertTrue(ping(world.hubs[0].ns, away))
                world.roam(s)
                self.assertEqual(ask(sock, server, MAIN, MAIN)[0], home)

    def test_a_cut_site_is_unreachable_until_it_is_joined(self):
        for name in ("portrestricted-1", "open-2"):
            s, hub = site(name), world.hubs[0]
            world.cut(s)
            self.assertFalse(ping(s.peers[0].ns, hub.addresses[0]))
            world.join(s)
            self.assertTrue(ping(s.peers[0].ns, hub.addresses[0]))
            self.assertTrue(not s.prefix6 or ping(s.peers[0].ns, hub.address6))

    def test_the_delay_holds_what_the_hub_sends_and_nothing_else(self):
        s, other = site("portrestricted-1"), peer("open-1")
        world.delay(s, 0.15)
        try:
            self.assertAlmostEqual(self.seconds_to_answer(s.peers[0]), 0.15, delta=0.05)
            self.assertLess(self.seconds_to_answer(other), 0.05)
            start = time.monotonic()
            self.assertTrue(ping(s.peers[0].ns, other.address))
            self.assertLess(time.monotonic() - start, 0.1)
        finally:
            world.delay(s, 0)
        self.assertLess(self.seconds_to_answer(s.peers[0]), 0.05)

    def seconds_to_answer(self, p):
        with bound(p) as sock:
            start = time.monotonic()
            self.assertIsNotNone(ask(sock, server, MAIN, MAIN, tries=1))
            return time.monotonic() - start

    def test_loss_takes_its_share_and_ends(self):
        s = site("open-1")
        world.loss(s, 50)
        try:
            lost = self.lost_of(s.peers[0], 400)
            self.assertTrue(220 < lost < 380, lost)  # both ways: 75 % of 400
        finally:
            world.loss(s, 0)
        self.assertEqual(self.lost_of(s.peers[0], 100), 0)

    def lost_of(self, p, count):
        said = p.ns.run("ping", "-n", "-q", f"-c{count}", "-i0.002", "-W1",
                        world.hubs[0].addresses[0], check=False)
        return count - int(said.split(" received")[0].split()[-1])

    def test_a_limited_link_is_as_slow_as_it_says(self):
        s, hub = site("open-1"), world.hubs[0]
        world.rate(s, 20)
        try:
            start, size = time.monotonic(), 2_000_000
            self.pour(s.peers[0].ns, hub, size)
            mbit = size * 8 / (time.monotonic() - start) / 1e6
            self.assertTrue(12 < mbit < 24, mbit)
        finally:
            world.rate(s, 0)

    def pour(self, ns, hub, size):
        """Sends over TCP and returns once all of it has arrived."""
        with hub.ns.socket(kind=socket.SOCK_STREAM) as listener:
            listener.bind((hub.addresses[0], 0))
            listener.listen(1)
            with ns.socket(kind=socket.SOCK_STREAM) as out:
                out.settimeout(20)
                out.connect(listener.getsockname())
                source, _ = listener.accept()
                with source:
                    source.settimeout(20)
                    unsent = unread = size
                    while unread:
                        with contextlib.suppress(BlockingIOError):
                            unsent -= out.send(bytes(min(unsent, 65536)), socket.MSG_DONTWAIT)
                        unread -= len(source.recv(1 << 20))

    def test_nats_forget_flows_after_their_timeouts(self):
        with World(["portrestricted", "restricted"], timeouts=Timeouts(2, 4)) as short:
            with Server(short.hubs[0]) as own:
                for p in short.peers:
                    # A one-way flow lives for 2 s; the kernel's clock may round it up.
                    self.assertIn(lifetime(p, own, 5), (1, 2))


class Network(unittest.TestCase):
    def test_ipv6_goes_out_everywhere_and_comes_in_only_where_nothing_filters(self):
        hub = world.hubs[0]
        for name, let_in in (("open-2", True), ("portrestricted-3", False)):
            p = peer(name)
            self.assertTrue(ping(p.ns, hub.address6), name)
            with p.ns.socket(socket.AF_INET6) as sock, hub.ns.socket(socket.AF_INET6) as out:
                sock.bind((p.address6, 0))
                sock.settimeout(0.2)
                out.bind((hub.address6, 0))
                out.sendto(b"unsolicited", sock.getsockname()[:2])
                try:
                    came = sock.recv(64) == b"unsolicited"
                except TimeoutError:
                    came = False
                self.assertEqual(came, let_in, name)

    def test_a_smaller_underlay_refuses_larger_packets(self):
        p, hub = peer("portrestricted-3"), world.hubs[0].addresses[0]
        self.assertTrue(ping(p.ns, hub, "-Mdo", f"-s{1400 - 28}"))
        self.assertFalse(ping(p.ns, hub, "-Mdo", f"-s{1401 - 28}"))

    def test_low_ttl_packets_pass_the_nat_and_die_before_the_other(self):
        a, b = peer("portrestricted-1"), site("linuxclash-1")
        self.assertTrue(ping(a.ns, b.external))
        b.forget_flows()
        for ttl in (2, 3, 4):
            self.assertFalse(ping(a.ns, b.external, f"-t{ttl}"))
        self.assertNotIn(site("portrestricted-1").external, world.conntrack(b))

    def test_overlapping_lans_reach_the_hub(self):
        with World(["portrestricted", "portrestricted"], overlap=True, hubs=2) as same:
            self.assertEqual({p.address for p in same.peers}, {"192.168.1.2"})
            for hub in same.hubs:
                for p in same.peers:
                    self.assertTrue(ping(p.ns, hub.addresses[1]))


class CleanUp(unittest.TestCase):
    def test_a_world_takes_its_processes_and_namespaces_with_it(self):
        with World(["open"]) as gone:
            sleeper = subprocess.Popen(gone.peers[0].ns.command("sleep", "60"))
            names = [ns.name for ns in gone.namespaces()]
            time.sleep(0.05)
        self.assertNotEqual(sleeper.wait(1), 0)
        self.assertFalse(set(names) & set(os.listdir("/run/netns")))

    def test_an_exception_while_building_leaves_nothing(self):
        broken = World(["open", "cgnat"])
        broken.sites[1].lines[broken.sites[1].edge].append("no such command")
        with self.assertRaises(Exception):
            broken.__enter__()
        self.assertFalse([n for n in os.listdir("/run/netns") if n.startswith(broken.prefix)])

    def test_sigterm_to_the_command_line_leaves_nothing(self):
        program = subprocess.Popen([sys.executable, lab.__file__, "up", "--kinds", "open"],
                                   stdout=subprocess.PIPE, text=True)
        while "^C removes" not in program.stdout.readline():
            self.assertIsNone(program.poll())
        mine = [n for n in call("ip", "netns").split() if n.startswith(f"gl{program.pid}x")]
        self.assertTrue(mine)
        program.terminate()
        self.assertEqual(program.wait(10), 128 + 15)
        program.stdout.close()
        self.assertFalse(set(mine) & set(call("ip", "netns").split()))


def main():
    result = unittest.main(exit=False, verbosity=2, argv=[sys.argv[0], *sys.argv[1:]]).result
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
