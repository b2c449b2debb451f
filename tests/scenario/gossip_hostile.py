#!/usr/bin/env python3
"""What a stranger may send to a running `ginnel gossip`: each attack has its counter, the member
answers others meanwhile, holds no more memory afterwards, and its log stays short.

    gossip_hostile.py GINNEL
"""
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from gossip_wire import (ALIVE, COMPRESS, DEAD, ENCRYPT, LABEL, PING, SUSPECT, USER, compound,
                         compressed, message, node, push_pull)

GINNEL = os.path.abspath(sys.argv[1])
FOLDER = tempfile.mkdtemp(prefix="gossip-hostile-")
GROWTH_KIB = 8 << 10    # what may be kept of all that: buffers of a size that was once needed
ANSWER_SECONDS = 0.5    # to a ping while it is attacked; usually under a millisecond
LOG_BYTES = 32 << 10
NAMES = ("victim", "friend")


def demand(condition, text):
    if not condition:
        raise AssertionError(text)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Member:
    def __init__(self, name, *words):
        self.name, self.port, self.http = name, free_port(), free_port()
        self.dir = os.path.join(FOLDER, name)
        self.log = open(self.dir + ".log", "w+b")
        self.process = subprocess.Popen(
            [GINNEL, "gossip", "--bind", f"127.0.0.1:{self.port}", "--dir", self.dir, "--name",
             name, "--json", "--http", f"127.0.0.1:{self.http}", *words],
            stdout=subprocess.PIPE, stderr=self.log)
        demand(b'"ready"' in self.process.stdout.readline(), f"{name} is not ready")
        threading.Thread(target=lambda: [None for _ in self.process.stdout], daemon=True).start()

    def verb(self, *words):
        return subprocess.run([GINNEL, *words, "--dir", self.dir], capture_output=True, text=True,
                              timeout=30)

    def dropped(self):
        text = urllib.request.urlopen(f"http://127.0.0.1:{self.http}/metrics", timeout=10).read()
        found = re.findall(r'dropped_total{why="(.*)"} (\d+)', text.decode())
        return {why: int(count) for why, count in found}

    def rss_kib(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))


class Pinger:
    """Pings the victim by datagram all the time, and keeps the longest wait."""

    def __init__(self, victim):
        self.to = ("127.0.0.1", victim.port)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(10)
        self.worst, self.count, self.going = 0.0, 0, True
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while self.going:
            start = time.monotonic()
            self.socket.sendto(message(PING, SeqNo=1, Node="victim"), self.to)
            self.socket.recv(2000)
            self.worst = max(self.worst, time.monotonic() - start)
            self.count += 1
            time.sleep(0.02)

    def end(self):
        self.going = False
        self.thread.join()


VICTIM = None


def datagrams(*all_of_them):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        for one in all_of_them:
            out.sendto(one, ("127.0.0.1", VICTIM.port))


def stream(data):
    """Sends all that the victim takes; what it answers until it closes."""
    with socket.create_connection(("127.0.0.1", VICTIM.port), timeout=20) as to:
        try:
            to.sendall(data)
            to.shutdown(socket.SHUT_WR)
            return to.recv(1 << 20)
        except (ConnectionError, BrokenPipeError):
            return b""


def short_vsn():
    stream(push_pull([node("short", 9, vsn=b"\x01\x05\x02")]))
    datagrams(message(ALIVE, Incarnation=1, Node="shorter", Addr=b"\x7f\0\0\1", Port=9, Meta=b"",
                      Vsn=b"\x01\x05\x02"))


def bomb():
    datagrams(*[compressed(b"\0" * (8 << 20))] * 3)
    stream(compressed(bytes([USER]) + b"\0" * (41 << 20)))


def nested():
    inner = message(PING, SeqNo=1, Node="victim")
    for _ in range(6):
        inner = compressed(inner)
    datagrams(inner)
    inner = message(PING, SeqNo=1, Node="victim")
    for _ in range(200):
        inner = compound([inner])
    datagrams(inner)


def wrong_label():
    datagrams(bytes([LABEL, 3]) + b"red" + message(PING, SeqNo=1, Node="victim"))
    note = stream(bytes([LABEL, 3]) + b"red" + push_pull([]))
    demand(b"ginnel: another key or label" in note, f"no note: {note}")


def unexpected_cipher():
    answer = stream(bytes([ENCRYPT, 0, 0, 0, 60]) + os.urandom(60))
    demand(answer, "no error came back")


def replay():
    old = [message(SUSPECT, Incarnation=0, Node="friend", From="x"),
           message(DEAD, Incarnation=0, Node="friend", From="friend"),
           message(DEAD, Incarnation=0, Node="friend", From="x"),
           message(ALIVE, Incarnation=0, Node="friend", Addr=b"\x7f\0\0\1", Port=9, Meta=b"old",
                   Vsn=b"\x01\x05\x02\0\0\0")]
    datagrams(*old * 200, *[message(2, SeqNo=77, Payload=b"")] * 200)


def largest():
    datagrams(bytes([USER]) + b"x" * 65506, bytes([COMPRESS]) + os.urandom(65506),
              bytes([7, 255]) + os.urandom(65505))


def million_nodes():
    one = node("a", 9)
    stream(push_pull([], count=1_000_000) + one * 1_000_000)
    stream(push_pull([], count=4_000_000_000 % (1 << 32)))
    stream(push_pull([], count=1, user_state=2_000_000_000))


def half_open_and_slow():
    """200 that say nothing or a byte a second; a newcomer's verb and join come through."""
    held = [socket.create_connection(("127.0.0.1", VICTIM.port)) for _ in range(200)]
    request = push_pull([node("slow", 9)])
    begin = time.monotonic()
    for second in range(4):
        for one in held[:100]:
            one.send(request[second:second + 1])
        if second == 1:
            start = time.monotonic()
            newcomer = Member("newcomer", "--join", f"127.0.0.1:{VICTIM.port}")
            done = newcomer.verb("wait", "--for", "members=3", "--timeout", "5")
            took = time.monotonic() - start
            demand(done.returncode == 0 and took < 5, f"a join took {took}: {done.stderr}")
            newcomer.verb("leave")
            newcomer.process.wait(10)
        time.sleep(1)
    held[0].settimeout(15)
    demand(held[0].recv(100) == b"", "a slow stream is closed")
    demand(time.monotonic() - begin < 12, "a slow stream lives no longer than 10 s")
    for one in held:
        one.close()


# What each is counted as. Empty: it is taken, harmlessly.
ATTACKS = [(short_vsn, []), (bomb, ["too large"]), (nested, ["nested"]),
           (wrong_label, ["wrong label"]), (unexpected_cipher, ["encrypted"]),
           (replay, ["unmatched"]), (largest, ["malformed"]), (million_nodes, ["too large"]),
           (half_open_and_slow, [])]


def attack(one, counters, friend):
    before = VICTIM.dropped()
    pinger = Pinger(VICTIM)
    start = time.monotonic()
    try:
        one()
        time.sleep(0.3)
    finally:
        pinger.end()
    after = VICTIM.dropped()
    grown = {why: after[why] - before[why] for why in after if after[why] != before[why]}
    print(f"  {one.__name__}: {time.monotonic() - start:.1f} s, {pinger.count} pings, worst "
          f"{1000 * pinger.worst:.0f} ms, rss {VICTIM.rss_kib()} KiB, counted {grown}", flush=True)
    for why in counters:
        demand(any(why in name for name in grown), f"{one.__name__} is not counted: {grown}")
    demand(pinger.worst < ANSWER_SECONDS, f"{one.__name__}: a ping took {pinger.worst} s")
    demand(VICTIM.process.poll() is None, f"{one.__name__}: it is gone")


def main():
    global VICTIM
    VICTIM = Member("victim", "--app", "none")
    friend = Member("friend", "--app", "none", "--join", f"127.0.0.1:{VICTIM.port}")
    failed = 0
    try:
        demand(VICTIM.verb("wait", "--for", "members=2", "--timeout", "10").returncode == 0, "join")
        for one, _ in ATTACKS[:-1]:
            one()  # warm: what buffers take once
        time.sleep(0.5)
        warm = VICTIM.rss_kib()
        for one, counters in ATTACKS:
            try:
                attack(one, counters, friend)
            except AssertionError as error:
                failed += 1
                print(f"FAILED: {error}")
        end = VICTIM.rss_kib()
        demand(end - warm < GROWTH_KIB, f"it grew from {warm} to {end} KiB")
        size = os.fstat(VICTIM.log.fileno()).st_size
        demand(size < LOG_BYTES, f"its log has {size} bytes")
        demand(VICTIM.verb("wait", "--for", "members=2", "--timeout", "40").returncode == 0,
               "the friend is still there")
    except AssertionError as error:
        failed += 1
        print(f"FAILED: {error}")
    finally:
        for member in (VICTIM, friend):
            member.process.kill()
            member.process.wait()
        shutil.rmtree(FOLDER, ignore_errors=True)
    print("0 failed" if not failed else f"{failed} failed")
    return 1 if failed else 0


sys.exit(main())
