#!/usr/bin/env python3
"""Names, as programs of a host ask for them, where systemd-resolved is not in use.

usage: names_test.py --ginnel PROGRAM        (needs root: it makes a namespace and a TUN device)

 1. a hub with a TUN device, and alice who joined without one, in one namespace
 2. the hub's overlay address, port 53, answers for both, NXDOMAIN for nobody, REFUSED for others
 3. getaddrinfo finds both by their bare name (the block in /etc/hosts)
 4. dns.names = "off" and `config reload`: no block, no DNS; "auto" again: both are back
 5. `down` takes the block away and leaves the rest of the file as it was
"""
import argparse
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

INSIDE = "GINNEL_NAMES_NAMESPACE"
HOSTS = "127.0.0.1 localhost\n"
NXDOMAIN, REFUSED = 3, 5
A, AAAA, MX = 1, 28, 15
UP_SECONDS = 30


def question(name, kind):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    head = struct.pack(">6H", 0x1234, 0x0100, 1, 0, 0, 0)
    return head + labels + b"\0" + struct.pack(">2H", kind, 1)


def ask(server, name, kind):
    """The rcode and the addresses; None when nobody listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.connect((server, 53))
        sent = question(name, kind)
        try:
            sock.send(sent)
            answer = sock.recv(512)
        except ConnectionRefusedError:
            return None
    count, at, found = struct.unpack(">H", answer[6:8])[0], len(sent), []
    for _ in range(count):
        size = struct.unpack(">H", answer[at + 10:at + 12])[0]
        data = answer[at + 12:at + 12 + size]
        found.append(socket.inet_ntop(socket.AF_INET if size == 4 else socket.AF_INET6, data))
        at += 12 + size
    return answer[3] & 15, found


class Test:
    def __init__(self, program, folder):
        self.program, self.folder, self.failed, self.passed = program, folder, 0, 0

    def ginnel(self, name, *words):
        done = subprocess.run([self.program, "--dir", os.path.join(self.folder, name), *words],
                              text=True, check=False, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"{name} {words}: {done.stderr}")
        return done.stdout.strip()

    def up(self, name):
        log = open(os.path.join(self.folder, name + ".log"), "w", encoding="utf-8")
        process = subprocess.Popen([self.program, "--dir", os.path.join(self.folder, name), "up",
                                    "--foreground"], stdout=log, stderr=log)
        self.eventually(lambda: self.ginnel(name, "status"), f"{name} is up")
        return process

    def eventually(self, holds, what):
        end = time.monotonic() + UP_SECONDS
        while True:
            try:
                if holds():
                    return self.check(True, what)
            except RuntimeError as error:
                reason = error
            else:
                reason = "it does not hold"
            if time.monotonic() > end:
                return self.check(False, f"{what}: {reason}")
            time.sleep(0.05)

    def check(self, holds, what):
        print(("ok      " if holds else "FAILED  ") + what)
        self.passed += bool(holds)
        self.failed += not holds

    def equal(self, got, expected, what):
        self.check(got == expected, what if got == expected else f"{what}: {got}, not {expected}")


def hosts():
    with open("/etc/hosts", encoding="utf-8") as file:
        return file.read()


def found_by_name(name):
    try:
        return sorted({row[4][0] for row in socket.getaddrinfo(name, None)})
    except socket.gaierror:
        return []


def run(test):
    test.ginnel("hub", "init", "--hub", "--name", "hub-a", "--network", "lab", "--listen",
                "127.0.0.1:7700", "--public", "127.0.0.1:7700")
    hub = test.up("hub")
    token = os.path.join(test.folder, "token")
    with open(token, "w", encoding="utf-8") as file:
        file.write(test.ginnel("hub", "invite"))
    test.ginnel("alice", "join", "--no-tun", "--name", "alice", "--token-file", token)
    alice = test.up("alice")
    own = json.loads(test.ginnel("hub", "status", "--json"))["self"]["addresses"]
    hers = json.loads(test.ginnel("alice", "status", "--json"))["self"]["addresses"]
    server = own[0]
    test.eventually(lambda: ask(server, "alice.lab.ginnel.internal", A) == (0, [hers[0]]),
                    "the hub's DNS knows alice")
    test.equal(ask(server, "ALICE.lab.ginnel.internal", AAAA), (0, [hers[1]]),
               "AAAA, whatever the case")
    test.equal(ask(server, "hub-a.lab.ginnel.internal", A), (0, [own[0]]), "its own name")
    test.equal(ask(server, "alice.lab.ginnel.internal", MX), (0, []), "another type is empty")
    test.equal(ask(server, "nobody.lab.ginnel.internal", A), (NXDOMAIN, []), "nobody is NXDOMAIN")
    test.equal(ask(server, "example.net", A), (REFUSED, []), "other domains are refused")
    test.equal(found_by_name("alice"), sorted(hers), "getaddrinfo finds alice")
    test.check(hosts().startswith(HOSTS + "# ginnel S"), "the block stands behind what was there")

    test.ginnel("hub", "config", "set", "dns.names", "off")
    test.equal(test.ginnel("hub", "config", "reload"), "changed dns.names", "names go off")
    test.equal((hosts(), ask(server, "alice.lab.ginnel.internal", A)), (HOSTS, None),
               "no block, no DNS")
    test.ginnel("hub", "config", "set", "dns.names", "auto")
    hub.send_signal(signal.SIGHUP)
    test.eventually(lambda: found_by_name("alice") == sorted(hers), "and on again, by SIGHUP")

    test.ginnel("hub", "down")
    test.equal(hosts(), HOSTS, "down leaves the file as it was")
    test.equal(hub.wait(20), 0, "the hub ended well")
    alice.send_signal(signal.SIGTERM)
    test.equal(alice.wait(20), 0, "alice ended well")


def enter_namespace(program):
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", "--net", "--mount", sys.executable, os.path.abspath(__file__),
                          "--ginnel", program])


def hide_files(folder):
    """/etc/hosts and /etc/resolv.conf of this mount namespace alone."""
    for name, text in (("hosts", HOSTS), ("resolv.conf", "nameserver 192.0.2.1\n")):
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        subprocess.run(["mount", "--bind", path, os.path.realpath("/etc/" + name)], check=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ginnel", required=True)
    program = os.path.abspath(parser.parse_args().ginnel)
    if INSIDE not in os.environ:
        enter_namespace(program)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory(prefix="ginnel-names-") as folder:
        hide_files(folder)
        test = Test(program, folder)
        try:
            run(test)
        finally:
            subprocess.run(["umount", "/etc/hosts", os.path.realpath("/etc/resolv.conf")],
                           check=False)
            if test.failed:
                for name in ("hub.log", "alice.log"):
                    with open(os.path.join(folder, name), encoding="utf-8") as log:
                        print(f"{name}:\n{log.read()}")
    print(f"{test.passed} passed, {test.failed} failed")
    return 1 if test.failed else 0


if __name__ == "__main__":
    sys.exit(main())
