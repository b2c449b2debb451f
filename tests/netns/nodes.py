"""Runs the real program in a world: hubs, peers, their commands and logs.

    with World(["open", "cgnat"]) as world, Mesh(binary, world) as mesh:
        a, b = mesh.peers
        print(mesh.ping_until_direct(a, b))

Nothing but the command line is used (docs/cli.md). Each node has its own --dir, log and /etc/hosts
in a temporary folder, which is kept and shown when a test failed.
"""
import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

COMMAND_SECONDS = 20
READY_SECONDS = 10  # from `up` until `status` answers
STOP_SECONDS = 8  # a graceful leave
JOIN_SECONDS = 15
PORT = 7700
LOG_LINES_SHOWN = 40
DIRECT = ("lan", "direct", "punched")
RELAYED = ("relay-udp", "relay-tcp")
PINGS, PING_PACE = 30, 0.2  # 6 s: a try lasts 3 s, and a second one begins 1 s after it has failed


class NodeFailed(Exception):
    """A command of a node failed; the text says which, why and what it printed."""


class Node:
    def __init__(self, binary, ns, folder, name):
        self.binary, self.ns, self.name = binary, ns, name
        self.dir = os.path.join(folder, name)
        self.log = self.dir + ".log"
        self.hosts = self.dir + ".hosts"
        with open(self.hosts, "w", encoding="ascii") as file:
            file.write(f"127.0.0.1 localhost {name}\n::1 localhost\n")
        self.addresses = []
        self.process = None
        self.failure = ""  # why it is not in the network, if it is not

    def command(self, *arguments):
        return self.ns.command(self.binary, "--dir", self.dir, *arguments, hosts=self.hosts)

    def start(self, *arguments, **options):
        """Popen with the environment of a node; its pid is the program's own."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GINNEL_")}
        environment["NO_COLOR"] = "1"
        return subprocess.Popen(self.command(*arguments), env=environment, **options)

    def cli(self, *arguments, text="", check=True, timeout=COMMAND_SECONDS):
        process = self.start(*arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
        try:
            out, err = process.communicate(text, timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise NodeFailed(f"{self.name}: `{' '.join(arguments)}` hung for {timeout} s: "
                             f"{out}{err}") from None
        if check and process.returncode != 0:
            raise NodeFailed(f"{self.name}: `{' '.join(arguments)}` exit {process.returncode}: "
                             f"{err.strip()}")
        return out

    def json(self, *arguments, **options):
        text = self.cli("--json", *arguments, **options)
        try:
            return json.loads(text)
        except ValueError as error:
            raise NodeFailed(f"{self.name}: `{' '.join(arguments)}`: {error}: {text[:400]}") \
                from None

    def status(self):
        return self.json("status")

    def row(self, peer):
        """This node's row about a peer, {} while it knows none."""
        return next((row for row in self.status()["peers"] if row["name"] == peer.name), {})

    def path_kind(self, peer):
        return (self.row(peer).get("path") or {}).get("kind", "none")

    # -- life -------------------------------------------------------------------------------------

    def up(self):
        """Starts the daemon and waits until it is usable."""
        with open(self.log, "ab") as log:
            self.process = self.start("up", "--foreground", stdin=subprocess.DEVNULL, stdout=log,
                                      stderr=log)
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise NodeFailed(f"{self.name}: `up` ended with {self.process.returncode}")
            with contextlib.suppress(NodeFailed):
                self.addresses = self.status()["self"]["addresses"]
                return
            time.sleep(0.05)
        raise NodeFailed(f"{self.name}: not ready after {READY_SECONDS} s")

    def stop(self):
        """A graceful end by SIGTERM."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise NodeFailed(f"{self.name}: deaf to SIGTERM for {STOP_SECONDS} s") from None

    def kill(self):
        """As a crash would."""
        self.process.kill()
        self.process.wait()

    def tail(self):
        with contextlib.suppress(OSError):
            with open(self.log, encoding="utf-8", errors="replace") as file:
                return "".join(file.readlines()[-LOG_LINES_SHOWN:])
        return "(no log)\n"


@dataclass
class Pinged:
    """What `ping --until-direct` showed."""
    first: float = None  # seconds to the first answer, by whatever path
    direct: float = None  # seconds to the first answer by a direct path
    kind: str = "none"  # of the last answer
    code: int = -1
    lines: list = field(default_factory=list)


class Mesh:
    """A network over a world: hubs first, then every peer joins by one token (`peers`: none)."""

    def __init__(self, binary, world, hubs=1, peers=True):
        self.world = world
        self.folder = tempfile.mkdtemp(prefix=f"gl{os.getpid()}-")
        self.hubs = [Node(binary, hub.ns, self.folder, hub.name) for hub in world.hubs[:hubs]]
        self.peers = [Node(binary, peer.ns, self.folder, peer.name)
                      for peer in (world.peers if peers else [])]
        self.failed = False  # set by a test to keep the folder

    def node(self, name):
        return next(n for n in self.hubs + self.peers if n.name == name)

    def __enter__(self):
        try:
            self._start_hubs()
            uses = max(1, len(self.peers))
            token = self._token("peers", "--uses", str(uses))
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda peer: self._admit(peer, token), self.peers))
        except BaseException:
            self.show_logs(self.hubs)
            self.failed = True
            self.__exit__(None, None, None)
            raise
        return self

    def _start_hubs(self):
        for node, place in zip(self.hubs, self.world.hubs):
            public = f"{place.addresses[0]}:{PORT}"
            if node is self.hubs[0]:
                node.cli("init", "--hub", "--network", "lab", "--name", node.name,
                         "--public", public)
            else:
                token = self._token(node.name, "--hub")
                node.cli("join", "--hub", "--token-file", token, "--name", node.name,
                         "--listen", f"0.0.0.0:{PORT}", "--public", public)
            node.up()

    def _token(self, name, *options):
        path = os.path.join(self.folder, f"{name}.token")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            file.write(self.hubs[0].cli("invite", *options))
        return path

    def _admit(self, peer, token):
        """Joins and starts; a peer that cannot is left out and fails its own tests, not all."""
        try:
            peer.cli("join", "--token-file", token, "--name", peer.name,
                     "--timeout", str(JOIN_SECONDS), timeout=JOIN_SECONDS + 5)
            peer.up()
        except NodeFailed as error:
            peer.failure = str(error)

    def __exit__(self, *_):
        def end(node):
            try:
                node.stop()
            except NodeFailed as error:
                print(error)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(end, self.peers))
            list(pool.map(end, self.hubs))
        if self.failed:
            print(f"state and logs are kept in {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def show_logs(self, nodes):
        for node in nodes:
            print(f"--- log of {node.name} {node.failure}\n{node.tail()}", end="")

    # -- what is asked of pairs -------------------------------------------------------------------

    @staticmethod
    def ping_until_direct(a, b, count=PINGS, pace=PING_PACE):
        found, start = Pinged(), time.monotonic()
        process = a.start("ping", b.name, "-c", str(count), "-i", str(pace), "--until-direct",
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
        watchdog = threading.Timer(count * pace + COMMAND_SECONDS, process.kill)
        watchdog.start()
        for line in process.stdout:
            now = time.monotonic() - start
            found.lines.append(line.rstrip())
            if answer := re.match(r"pong from .* via (\S+)", line):
                found.kind = answer[1]
                found.first = found.first or now
                if found.kind in DIRECT:
                    found.direct = found.direct or now
        found.code = process.wait()
        process.stdout.close()
        watchdog.cancel()
        return found

    @staticmethod
    def wait_for_kind(a, b, kinds, seconds):
        """Seconds until `a`'s path to `b` is of one of these kinds, or None."""
        start = time.monotonic()
        while (now := time.monotonic() - start) < seconds:
            if a.path_kind(b) in kinds:
                return now
            time.sleep(0.05)
        return None
