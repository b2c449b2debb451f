"""Members of a gossip cluster on loopback, serf's and ours, as a test drives them.

In a namespace of its own (`enter_namespace`), so that ports and addresses are free. Each member has
an address 127.0.0.N. Waiting is always for something that a member reports, with an end.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

PORT = 7946
RPC = 7373


class Wrong(Exception):
    """A member did not do what it must; the text says what was seen."""


def enter_namespace():
    """Runs this program again in a fresh network namespace; 77 where that cannot be."""
    if os.environ.get("GINNEL_IN_NAMESPACE"):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    if os.geteuid() != 0 or not all(map(shutil.which, ("serf", "unshare", "ip"))):
        print("skipped: needs root, serf, unshare and ip")
        sys.exit(77)
    os.environ["GINNEL_IN_NAMESPACE"] = "1"
    os.execvp("unshare", ["unshare", "-n", sys.executable, *sys.argv])


def until(what, seconds, look, pause=0.05):
    """Waits until `look()` is true, and returns what it gave."""
    end = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > end:
            text = what() if callable(what) else what
            raise Wrong(f"not within {seconds} s: {text}")
        time.sleep(pause)


class Member:
    """What both kinds share: a process, and what it prints."""

    def __init__(self, lab, name, number):
        self.lab, self.name, self.number = lab, name, number
        self.ip = f"127.0.0.{number}"
        self.address = f"{self.ip}:{PORT}"
        self.process = None

    def launch(self, command, stdout):
        self.log = open(os.path.join(self.lab.folder, f"{self.name}.log"), "ab")
        both = stdout == subprocess.STDOUT
        self.process = subprocess.Popen(command, stdout=self.log if both else stdout,
                                        stderr=self.log)

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def is_running(self):
        return self.process is not None and self.process.poll() is None


class Serf(Member):
    def start(self, join=None, protocol=5, profile="lan", keyring=None, compress=True, tags=()):
        command = ["serf", "agent", f"-node={self.name}", f"-bind={self.address}",
                   f"-rpc-addr={self.ip}:{RPC}", "-log-level=warn", f"-profile={profile}",
                   f"-protocol={protocol}"]
        command += [f"-tag={tag}" for tag in tags]
        if join:
            command += [f"-retry-join={join.address}", "-retry-interval=1s"]
        if keyring:
            command.append(f"-keyring-file={keyring}")
        if not compress:
            command.append("-disable-compression")
        self.launch(command, subprocess.STDOUT)
        return self

    def logged(self, text):
        with open(os.path.join(self.lab.folder, f"{self.name}.log"), errors="replace") as log:
            return text in log.read()

    def rpc(self, *words, timeout=30):
        done = subprocess.run(["serf", words[0], f"-rpc-addr={self.ip}:{RPC}", *words[1:]],
                              capture_output=True, text=True, timeout=timeout)
        return done.returncode, done.stdout + done.stderr

    def view(self):
        """name -> (address, state, tags), as serf's own JSON says."""
        code, text = self.rpc("members", "-format=json")
        if code != 0:
            return {}
        return {row["name"]: (row["addr"], row["status"], row["tags"])
                for row in json.loads(text)["members"]}

    def leave(self):
        self.rpc("leave")
        self.process.wait(20)


class Ours(Member):
    def start(self, *words, join=None, preset="lan", key_file=None, tags=()):
        self.dir = os.path.join(self.lab.folder, self.name)
        self.events = []
        command = [self.lab.ginnel, "gossip", "--bind", self.address, "--dir", self.dir, "--name",
                   self.name, "--json", "--preset", preset, *words]
        for tag in tags:
            command += ["--tag", tag]
        if join:
            command += ["--join", join.address]
        if key_file:
            command += ["--key-file", key_file]
        self.launch(command, subprocess.PIPE)
        self.reader = threading.Thread(target=self.read, args=(self.process.stdout, self.events),
                                       daemon=True)
        self.reader.start()
        return self

    @staticmethod
    def read(pipe, events):
        for line in pipe:
            events.append(json.loads(line))

    def verb(self, *words, check=True, stdin=None, timeout=30):
        done = subprocess.run([self.lab.ginnel, *words, "--dir", self.dir], capture_output=True,
                              text=True, timeout=timeout, input=stdin)
        if check and done.returncode != 0:
            raise Wrong(f"{self.name}: {words}: exit {done.returncode}: {done.stderr}")
        return done.returncode, done.stdout

    def members(self):
        code, text = self.verb("members", "--json", check=False)
        return json.loads(text) if code == 0 else {"members": []}

    def view(self):
        return {row["name"]: (row["address"], row["state"].replace("suspect", "alive"), row["tags"])
                for row in self.members()["members"]}

    def said(self, event, name=None, since=0):
        """The events of that kind, about that member."""
        return [e for e in self.events[since:] if e["event"] == event and
                (name is None or e.get("member", {}).get("name") == name)]

    def leave(self):
        self.verb("leave")
        code = self.process.wait(10)
        self.reader.join(5)
        if code != 0 or self.events[-1]["event"] != "left":
            raise Wrong(f"{self.name} left with exit {code}, last line {self.events[-1]}")


class Lab:
    def __init__(self, ginnel):
        self.ginnel = os.path.abspath(ginnel)
        self.folder = tempfile.mkdtemp(prefix="gossip-")
        self.members = []
        self.failed = False

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        for member in self.members:
            if member.is_running():
                member.kill()
        if kind is not None:
            for member in self.members:
                path = os.path.join(self.folder, f"{member.name}.log")
                with open(path, errors="replace") as log:
                    tail = log.read().strip().splitlines()[-8:]
                for line in tail:
                    print(f"  {member.name}: {line}")
                if isinstance(member, Ours):
                    print(f"  {member.name} said:", [e["event"] for e in member.events][-20:])
        shutil.rmtree(self.folder, ignore_errors=True)

    def add(self, kind, name):
        member = kind(self, name, len(self.members) + 1)
        self.members.append(member)
        return member

    def running(self):
        return [m for m in self.members if m.is_running()]

    def converge(self, expected, seconds, may_lack=None):
        """Every running member's view is `expected` (name -> state), and all views are one. With
        `may_lack` (viewer, name) a viewer may lack who was gone before it came, and may have missed
        the last tags of who is gone: memberlist repairs neither, since it hands on no more than the
        names of the dead."""
        seen = {}

        def same(row, other):
            gone = may_lack and row[1] != "alive"
            return row[:2] == other[:2] if gone else row == other

        def differences():
            out = []
            rows = {}  # as the first viewer that has it sees it
            for view in seen["views"].values():
                rows = view | rows
            for viewer, view in seen["views"].items():
                for name in sorted(expected.keys() | view.keys()):
                    row = view.get(name)
                    if row is None and may_lack and may_lack(viewer, name):
                        continue
                    wrong = row is None or row[1] != expected.get(name)
                    if wrong or not same(row, rows[name]):
                        out.append(f"{viewer} sees {name} as {row}, should be {expected.get(name)}")
            return "; ".join(out)

        def look():
            seen["views"] = {m.name: m.view() for m in self.running()}
            return not differences()
        until(differences, seconds, look, 0.2)


def step(text, start=[time.monotonic()]):
    print(f"[{time.monotonic() - start[0]:5.1f}] {text}", flush=True)


STOP, CONT, INT = signal.SIGSTOP, signal.SIGCONT, signal.SIGINT
