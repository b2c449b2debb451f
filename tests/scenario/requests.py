#!/usr/bin/env python3
"""Requests and replies between two daemons over a hub on loopback, as docs/cli.md says.

usage: requests.py --ginnel PROGRAM

 1. a reply comes back unchanged, bytes and all; who asks stands in CMD's environment
 2. 8 MiB there and back, from standard input
 3. another exit than 0 is E_REPLY_FAILED with nothing on stdout; nobody replies: E_TIMEOUT
 4. jobs run side by side, as many as --jobs says; each request once
 5. a replier that is killed fails what it had, and the next one answers
 6. a message to a daemon that was killed is counted in `status`
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

from hello import Hub

CALL_SECONDS = 60


def check(what, holds, detail=""):
    print("ok     " if holds else "FAILED ", what, "" if holds else detail)
    return bool(holds)


class Peer:
    def __init__(self, program, folder, name, token):
        self.program, self.dir, self.folder = program, os.path.join(folder, name), folder
        self.name = name
        self.call("join", "--token-file", "-", "--name", name, "--no-tun", data=token.encode())
        self.start()

    def start(self):
        with open(os.path.join(self.folder, self.name + ".log"), "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(self.words("up", "--foreground"), stdout=log, stderr=log)
        self.call("wait", "--timeout", "20", retry=50)

    def words(self, *arguments):
        return [self.program, "--dir", self.dir, *arguments]

    def call(self, *arguments, data=b"", retry=0):
        """Exit code, stdout, stderr; again while there is no daemon yet."""
        for _ in range(retry + 1):
            done = subprocess.run(self.words(*arguments), input=data, capture_output=True,
                                  timeout=CALL_SECONDS, check=False)
            if done.returncode != 3:
                break
            time.sleep(0.1)
        return done.returncode, done.stdout, done.stderr.decode()

    def reply(self, channel, command, *options):
        return Replier(subprocess.Popen(self.words("reply", channel, *options, "--", "sh", "-c", command),
                                        stderr=subprocess.PIPE))

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(10)


class Replier:
    def __init__(self, process):
        self.process = process

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(10)
        self.process.stderr.close()


def replies_come_back(alice, bob):
    strange = bytes(range(256))
    with bob.reply("cat", "cat"), bob.reply("who", 'printf %s "$GINNEL_FROM_NAME $GINNEL_FROM_ID"'):
        good = check("a text comes back", alice.call("req", "bob", "cat", "hello") == (0, b"hello", ""))
        code, out, err = alice.call("req", "bob", "cat", "-", data=strange)
        good &= check("bytes come back unchanged", (code, out) == (0, strange), err)
        code, out, err = alice.call("req", "bob", "who", "")
        good &= check("the command knows who asks", code == 0 and out.startswith(b"alice C"), f"{out} {err}")
        large = os.urandom(1 << 20) * 8
        code, out, err = alice.call("req", "bob", "cat", "-", "--timeout", "50", data=large)
        good &= check("8 MiB come back bit by bit", code == 0 and out == large, f"{code} {len(out)} {err}")
    return good


def failures_are_told(alice, bob):
    with bob.reply("bad", "echo half; echo why >&2; exit 3"):
        code, out, err = alice.call("req", "bob", "bad", "x")
        good = check("another exit is E_REPLY_FAILED", code == 1 and out == b"" and "[E_REPLY_FAILED]" in err, err)
    begun = time.monotonic()
    code, out, err = alice.call("req", "bob", "nobody", "x", "--timeout", "2")
    took = time.monotonic() - begun
    good &= check("while nobody replies the deadline ends it",
                  code == 6 and out == b"" and "[E_TIMEOUT]" in err and 1.9 < took < 6, f"{code} {err} {took}")
    code, _, err = alice.call("req", "nobody", "cat", "x", "--timeout", "1")
    return good & check("an unknown peer", code == 5 and "[E_UNKNOWN_PEER]" in err, f"{code} {err}")


def jobs_run_side_by_side(alice, bob, folder):
    done = os.path.join(folder, "done")
    with bob.reply("slow", f"echo x >> {done}; sleep 1; cat", "--jobs", "4"):
        begun = time.monotonic()
        asking = [subprocess.Popen(alice.words("req", "bob", "slow", str(n)), stdout=subprocess.PIPE)
                  for n in range(8)]
        answers = [process.communicate(timeout=CALL_SECONDS)[0].decode() for process in asking]
        took = time.monotonic() - begun
    good = check("each gets its own answer", answers == [str(n) for n in range(8)], str(answers))
    good &= check("four at a time", 1.9 < took < 8, f"{took:.1f} s")
    with open(done, encoding="utf-8") as lines:
        return good & check("each ran once", len(lines.readlines()) == 8)


def a_killed_replier(alice, bob):
    with bob.reply("once", "sleep 30") as replier:
        asking = subprocess.Popen(alice.words("req", "bob", "once", "x", "--timeout", "20"),
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(1)
        replier.process.kill()
        _, err = asking.communicate(timeout=CALL_SECONDS)
    good = check("what a killed replier had has failed",
                 asking.returncode == 1 and b"[E_REPLY_FAILED]" in err, err)
    with bob.reply("once", "echo again"):
        return good & check("the next one answers", alice.call("req", "bob", "once", "x")[:2] == (0, b"again\n"))


def losses_are_counted(alice, bob):
    bob.stop(signal.SIGKILL)
    code, _, err = alice.call("msg", "bob", "into the void")
    good = check("the channel takes a message", code == 0, err)
    time.sleep(1)
    bob.start()
    end = time.monotonic() + 40
    while time.monotonic() < end:
        peers = json.loads(alice.call("status", "--json")[1])["peers"]
        losses = [peer["losses"] for peer in peers if peer["name"] == "bob"][0]
        if losses["messages_unknown"] + losses["messages_not_sent"] == 1:
            break
        time.sleep(0.5)
    with open(os.path.join(alice.folder, "alice.log"), encoding="utf-8") as log:
        told = "a message to bob" in log.read()
    return good & check("what came back is counted and logged",
                        told and losses["messages_unknown"] + losses["messages_not_sent"] == 1, str(losses))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ginnel", required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Hub(options.ginnel, folder) as hub:
        token = hub.token()
        alice = Peer(options.ginnel, folder, "alice", token)
        bob = Peer(options.ginnel, folder, "bob", token)
        try:
            alice.call("wait", "--peer", "bob", "--timeout", "20")
            good = replies_come_back(alice, bob)
            good &= failures_are_told(alice, bob)
            good &= jobs_run_side_by_side(alice, bob, folder)
            good &= a_killed_replier(alice, bob)
            good &= losses_are_counted(alice, bob)
        finally:
            for peer in (alice, bob):
                if peer.process.poll() is None:
                    peer.stop()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
