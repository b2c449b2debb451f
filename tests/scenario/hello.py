#!/usr/bin/env python3
"""Two programs of the library greet each other through a hub on loopback.

usage: hello.py --ginnel PROGRAM --hello PROGRAM

 1. a hub without TUN device, and a token for two
 2. hello alice bob, and a moment later hello bob alice: both exit 0, each printed the other's greeting
 3. the same folders again, without a token: the identities are kept
 4. hello alice nobody: exits 1 and says what is missing (only with --slow: it takes 20 s)
"""
import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

HELLO_SECONDS = 30  # the programs give up after 20
HUB_SECONDS = 20


def free_port():
    """A port that is free, and the next one: a hub's STUN wants both."""
    while True:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as one, \
                socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as two:
            one.bind(("::", 0))
            port = one.getsockname()[1]
            try:
                two.bind(("::", port + 1))
                return port
            except OSError:
                continue


class Hub:
    def __init__(self, program, folder):
        self.program, self.dir = program, os.path.join(folder, "hub")
        endpoint = f"127.0.0.1:{free_port()}"
        self.run("init", "--hub", "--name", "hub", "--listen", endpoint, "--public", endpoint)
        self.run("config", "set", "tun.enable", "no")
        with open(os.path.join(folder, "hub.log"), "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([program, "--dir", self.dir, "up", "--foreground"],
                                            stdout=log, stderr=log)

    def run(self, *arguments):
        return subprocess.run([self.program, "--dir", self.dir, *arguments], check=True, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20).stdout

    def token(self):
        end = time.monotonic() + HUB_SECONDS
        while True:
            try:
                return self.run("invite", "--uses", "2").strip()
            except subprocess.CalledProcessError:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise
                time.sleep(0.1)  # it has just been started

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)


class Hello:
    def __init__(self, program, folder, name, peer, token):
        self.name, self.peer = name, peer
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GINNEL_")}
        if token:
            environment["GINNEL_TOKEN"] = token
        self.process = subprocess.Popen(
            [program, "--dir", os.path.join(folder, name), name, peer], env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def result(self):
        try:
            out, err = self.process.communicate(timeout=HELLO_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, err = self.process.communicate()
            err += "(it hung)"
        return self.process.returncode, out, err


def check(what, holds, details):
    print(("ok      " if holds else "FAILED  ") + what)
    if not holds:
        print(details)
    return holds


def greet_each_other(program, folder, token, pause):
    alice = Hello(program, folder, "alice", "bob", token)
    time.sleep(pause)
    bob = Hello(program, folder, "bob", "alice", token)
    good = True
    for hello in (alice, bob):
        code, out, err = hello.result()
        details = f"exit {code}\n{out}{err}"
        good &= check(f"{hello.name} has greeted and was greeted", code == 0, details)
        greeting = f"{hello.peer}: hello from {hello.peer}"
        good &= check(f"{hello.name} printed {hello.peer}'s greeting",
                      greeting in out.splitlines(), details)
    return good


def misses_nobody(program, folder):
    code, _, err = Hello(program, folder, "alice", "nobody", None).result()
    return check("alice says that nobody did not come", code == 1 and
                 "nobody did not greet us" in err, f"exit {code}\n{err}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ginnel", required=True)
    parser.add_argument("--hello", required=True)
    parser.add_argument("--slow", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Hub(options.ginnel, folder) as hub:
        good = greet_each_other(options.hello, folder, hub.token(), pause=1.0)
        good &= greet_each_other(options.hello, folder, None, pause=0.0)
        if options.slow:
            good &= misses_nobody(options.hello, folder)
        if not good:
            with open(os.path.join(folder, "hub.log"), encoding="utf-8") as log:
                print("hub's log:\n" + log.read())
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
