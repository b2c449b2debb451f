#!/usr/bin/env python3
"""`ginnel gossip` as its user meets it: lines, verbs, exit codes, keys, names, HTTP.

    gossip.py GINNEL

On loopback, on ports that are free.
"""
import base64
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

GINNEL = os.path.abspath(sys.argv[1])
FOLDER = tempfile.mkdtemp(prefix="ginnel-gossip-")
RUNNING = []


def demand(condition, text):
    if not condition:
        raise AssertionError(text)


def until(what, look, seconds=40):
    end = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        demand(time.monotonic() < end, f"not within {seconds} s: {what}")
        time.sleep(0.05)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(*words, stdin=None):
    done = subprocess.run([GINNEL, *words], capture_output=True, text=True, input=stdin, timeout=60)
    return done.returncode, done.stdout, done.stderr


class Member:
    def __init__(self, name, *words, port=None, dir=None):
        self.name, self.port = name, port or free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.dir = dir or os.path.join(FOLDER, name)
        self.events = []
        self.process = subprocess.Popen(
            [GINNEL, "gossip", "--bind", self.address, "--dir", self.dir, "--name", name, "--json",
             "--preset", "local", *words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        RUNNING.append(self)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.process.stdout:
            self.events.append(json.loads(line))

    def said(self, event, **more):
        return [e for e in self.events if e["event"] == event and
                all(e.get(k) == v for k, v in more.items())]

    def hears(self, event, **more):
        return until(f"{self.name} says {event} {more}; it said {[e['event'] for e in self.events]}",
                     lambda: self.said(event, **more))[0]

    def verb(self, *words, stdin=None):
        return run(*words, "--dir", self.dir, stdin=stdin)

    def ok(self, *words, stdin=None):
        code, out, err = self.verb(*words, stdin=stdin)
        demand(code == 0, f"{words}: exit {code}: {err}")
        return out

    def rows(self):
        return {r["name"]: r for r in json.loads(self.ok("members", "--json"))["members"]}

    def ends(self, code):
        seen = self.process.wait(30)
        self.thread.join(5)
        err = self.process.stderr.read()
        demand(seen == code, f"{self.name} ended with {seen}, not {code}: {err}")
        return err


def lines_and_verbs():
    a = Member("a")
    ready = a.hears("ready")
    demand(a.events[0] == ready and ready["app"] == "none" and ready["bind"] == a.address and
           ready["advertise"] == a.address, f"the first line is {a.events[0]}")
    b = Member("b", "--meta", "hello", "--join", f"127.0.0.1:{free_port()},{a.address}")
    joined = b.hears("joined")
    demand(joined["via"] == a.address and joined["members"] == 2, f"joined: {joined}")
    a.ok("wait", "--for", "members=2", "--timeout", "20")
    code, _, err = a.verb("wait", "--for", "members=9", "--timeout", "0.2")
    demand(code == 6 and "E_TIMEOUT" in err, f"wait: {code} {err}")
    row = a.rows()["b"]
    demand(row["address"] == b.address and row["state"] == "alive" and row["tags"] == {} and
           base64.b64decode(row["meta"]) == b"hello" and row["vsn"] == [1, 5, 2, 0, 0, 0] and
           row["suspected_by"] == [], f"the row of b: {row}")
    demand(a.hears("join")["member"].keys() == row.keys(), "an event's member is a whole row")
    demand(list(a.rows()) == ["a", "b"], "rows are in the order of names")
    code, _, err = run("gossip", "--bind", "127.0.0.1:0", "--dir", a.dir, "--name", "x")
    demand(code == 1 and "E_ALREADY_RUNNING" in err, f"a second member: {code} {err}")

    a.ok("msg", "b", "to b")
    a.ok("msg", "--udp", "b", "by datagram")
    a.ok("msg", "--all", "to all")
    a.ok("msg", "b", "-", stdin="two\nlines\n")
    for text in ("to b", "by datagram", "to all", "two\nlines\n"):
        b.hears("user", data=base64.b64encode(text.encode()).decode())
    demand(a.verb("msg", "nobody", "x")[0] == 5, "an unknown name")
    code, _, err = a.verb("event", "deploy")
    demand(code == 1 and "E_WRONG_APP" in err, f"event under none: {code} {err}")

    b.ok("tags", "set", "role=web", "zone=a")
    b.ok("tags", "del", "zone")
    until("tags arrive", lambda: a.rows()["b"]["tags"] == {"role": "web"})
    code, _, err = b.verb("tags", "set", "k=" + "x" * 600)
    demand(code == 2 and "512" in err, f"too many tags: {code} {err}")
    b.ok("leave")
    b.ends(0)
    demand(b.events[-1]["event"] == "left", f"the last line of b: {b.events[-1]}")
    a.hears("leave")
    demand(b.verb("leave")[0] == 3, "leave where none runs")

    follower = subprocess.Popen([GINNEL, "events", "-f", "--json", "--dir", a.dir],
                                stdout=subprocess.PIPE, text=True)
    demand(json.loads(follower.stdout.readline())["event"] == "ready", "events begin with ready")
    a.process.send_signal(signal.SIGTERM)
    a.ends(0)
    rest = [json.loads(line)["event"] for line in follower.stdout]
    demand(rest[-1] == "left", f"the last event of `events -f`: {rest}")
    demand(follower.wait(5) == 0, "`events -f` ends well when the member has left")


def serf_verbs():
    a = Member("a2", "--tag", "role=db")
    demand(a.hears("ready")["app"] == "serf", "with a tag it is serf's")
    b = Member("b2", "--join", a.address)
    b.hears("joined")
    demand(json.loads(b.ok("members", "--json"))["app"] == "serf", "the newcomer takes the app")
    b.ok("event", "deploy", "v1")
    for member in (a, b):
        event = member.hears("event", name="deploy")
        demand(base64.b64decode(event["data"]) == b"v1" and event["ltime"] >= 1, f"{event}")
    out = b.ok("query", "up", "--timeout", "2", "--json").splitlines()
    demand({json.loads(l)["from"] for l in out[:-1]} >= {"b2"}, f"query: {out}")
    code, _, err = b.verb("msg", "a2", "x")
    demand(code == 1 and "E_WRONG_APP" in err, f"msg under serf: {code} {err}")
    taken = Member("b2", "--join", a.address, dir=os.path.join(FOLDER, "impostor"))
    err = taken.ends(1)
    demand("E_NAME_TAKEN" in err and taken.said("conflict"), f"a taken name: {err}")
    a.hears("conflict", other=taken.address)
    demand(a.rows()["b2"]["address"] == b.address, "the first holder stays")
    misfit = Member("none", "--app", "none", "--join", a.address)
    failed = misfit.hears("join_failed")
    demand(failed["code"] == "E_WRONG_APP" and failed["text"].count("[") >= 1, f"{failed}")
    misfit.process.send_signal(signal.SIGINT)
    misfit.ends(0)
    b.process.kill()
    a.hears("suspect", by="a2")
    a.hears("fail", by="a2")
    demand(a.rows()["b2"]["state"] == "failed", "a killed member is failed")
    Member("b2", "--join", a.address, port=b.port, dir=os.path.join(FOLDER, "again")).hears("joined")
    until("the restarted member is alive", lambda: a.rows()["b2"]["state"] == "alive")


def keys():
    old, new = (base64.b64encode(bytes([n] * 16)).decode() for n in (1, 2))
    path = os.path.join(FOLDER, "keys")
    with open(path, "w") as out:
        out.write(old + "\n")
    os.chmod(path, 0o644)
    code, _, err = run("gossip", "--bind", "127.0.0.1:0", "--dir", path + ".d", "--key-file", path)
    demand(code == 4 and "E_KEY_FILE_MODE" in err, f"an open key file: {code} {err}")
    os.chmod(path, 0o600)
    a = Member("k", "--app", "serf", "--key-file", path)
    a.hears("ready")
    a.ok("key", "install", "--token-file", "-", stdin=new)
    a.ok("key", "use", "--token-file", "-", stdin=new)
    rows = json.loads(a.ok("key", "ls", "--json"))["keys"]
    demand(len(rows) == 2 and sum(r["primary"] for r in rows) == 1, f"key ls: {rows}")
    code, out, _ = a.verb("key", "rm", "--token-file", "-", stdin=new)
    demand(code == 1 and "primary" in out, f"removing the primary: {code} {out}")
    a.ok("key", "rm", "--token-file", "-", stdin=old)
    demand(open(path).read() == new + "\n", "the key file follows the ring")
    demand(a.hears("key", op="rm")["fingerprint"], "a key line has a fingerprint")
    demand(not any(new in json.dumps(e) for e in a.events), "no key is printed")
    plain = Member("p", "--join", a.address)
    demand(plain.hears("join_failed")["code"] == "E_DENIED", "without the key")
    once = Member("o", "--join", f"127.0.0.1:{free_port()}", "--join-once")
    once.ends(6)
    demand(once.said("join_failed")[0]["code"] == "E_UNREACHABLE", "join_failed names the reason")


def http():
    port = free_port()
    a = Member("h", "--http", f"127.0.0.1:{port}", "--tag", "x=y")
    a.hears("ready")

    def get(path, **more):
        return urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10, **more)
    demand(json.load(get("/members"))["members"][0]["name"] == "h", "GET /members")
    demand(json.load(get("/meta"))["tags"] == {"x": "y"}, "GET /meta")
    metrics = get("/metrics")
    demand(metrics.headers["Content-Type"].startswith("text/plain"), "metrics are text")
    demand('ginnel_gossip_members{state="alive"} 1' in metrics.read().decode(), "GET /metrics")
    stream = get("/events")
    a.ok("event", "ping")
    demand(json.loads(stream.readline())["event"] == "event", "GET /events")
    for path, more in (("/members", {"data": b"x"}), ("/v1/leave", {})):
        try:
            get(path, **more)
            raise AssertionError(f"{path} was answered")
        except urllib.error.HTTPError as error:
            demand(error.code in (404, 405), f"{path}: {error.code}")


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def descriptors():
    """Out of descriptors, a member neither spins nor forgets: it takes joins again afterwards."""
    a = Member("fd")
    a.hears("ready")
    now_open = len(os.listdir(f"/proc/{a.process.pid}/fd"))
    resource.prlimit(a.process.pid, resource.RLIMIT_NOFILE, (now_open + 4, now_open + 4))
    held = [socket.create_connection(("127.0.0.1", a.port)) for _ in range(12)]
    time.sleep(0.3)
    before = cpu_seconds(a.process.pid)
    time.sleep(0.5)
    used = cpu_seconds(a.process.pid) - before
    demand(used < 0.2, f"{used} s of processor time in half a second")
    for connection in held:
        connection.close()
    b = Member("fe", "--join", a.address)
    b.hears("joined")


def faults():
    """A member with another key or label is named in the log, with what is ours."""
    path = os.path.join(FOLDER, "fault-keys")
    keys_of = {}
    for number in (3, 4):
        keys_of[number] = f"{path}{number}"
        with open(keys_of[number], "w") as out:
            out.write(base64.b64encode(bytes([number] * 32)).decode() + "\n")
        os.chmod(keys_of[number], 0o600)
    a = Member("la", "--key-file", keys_of[3], "--label", "blue")
    a.hears("ready")
    print_of_3 = json.loads(a.ok("key", "ls", "--json"))["keys"][0]["fingerprint"]
    other_key = Member("lb", "--key-file", keys_of[4], "--label", "blue", "--join", a.address)
    failed = other_key.hears("join_failed")
    print_of_4 = json.loads(other_key.ok("key", "ls", "--json"))["keys"][0]["fingerprint"]
    demand(failed["code"] in ("E_DENIED", "E_TIMEOUT", "E_UNREACHABLE"), f"{failed}")
    other_label = Member("lc", "--key-file", keys_of[3], "--label", "red", "--join", a.address)
    other_label.hears("join_failed")
    time.sleep(1.5)  # what was refused is looked at each second
    logs = {}
    for member in (other_key, other_label, a):
        member.process.send_signal(signal.SIGTERM)
        logs[member] = member.ends(0)
    demand(f"no key opens it; our keys: {print_of_3}" in logs[a], f"no key in {logs[a]}")
    demand(f"no key opens it; our keys: {print_of_4}" in logs[other_key],
           f"no key in {logs[other_key]}")
    demand('wrong label; our label: "blue"' in logs[a], f"no label in {logs[a]}")
    # Who has another key or label knows both sides' from its own log.
    dialled = [line for line in logs[other_key].splitlines() if "cannot read the answer" in line]
    demand(dialled and print_of_3 in dialled[0] and print_of_4 in dialled[0] and
           a.address in dialled[0], f"not both keys in {logs[other_key]}")
    demand(len(dialled) <= 2, f"told too often: {dialled}")
    dialled = [line for line in logs[other_label].splitlines() if "cannot read the answer" in line]
    demand(dialled and '"red"' in dialled[0] and '"blue"' in dialled[0] and
           dialled[0].count(print_of_3) == 2, f"not both labels in {logs[other_label]}")
    heard = [line for line in logs[a].splitlines() if "cannot read the request" in line]
    demand(heard and print_of_3 in heard[0] and "127.0.0.1:" in heard[0], f"{logs[a]}")


def people():
    """Without --json: a line each, that a person reads."""
    a = Member("pa", "--tag", "role=db")
    a.hears("ready")
    address = f"127.0.0.1:{free_port()}"
    b = subprocess.Popen(
        [GINNEL, "gossip", "--bind", address, "--dir", os.path.join(FOLDER, "pb"), "--name", "pb",
         "--preset", "local", "--join", a.address], stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True)
    RUNNING.append(Bare(b))
    lines = []
    while not lines or " joined " not in lines[-1]:
        lines.append(b.stdout.readline())
        demand(lines[-1], f"it ended after {lines}")
    clock = r"\d\d:\d\d:\d\d\.\d{3} "
    for pattern in (f"ready pb on {address} as {address}, app none", f"join pa {a.address}",
                    f"joined via {a.address}, members 2"):
        demand(any(re.fullmatch(clock + re.escape(pattern) + "\n", line) for line in lines),
               f"no line {pattern} in {lines}")
    b.terminate()
    demand(b.communicate(timeout=20)[0].endswith(" left\n") and b.returncode == 0, "it leaves")


class Bare:
    def __init__(self, process):
        self.process = process


def signals():
    """The first signal leaves, a second ends at once."""
    a = Member("sa", "--app", "serf")
    a.hears("ready")
    b = Member("sb", "--app", "serf", "--join", a.address)
    b.hears("joined")
    b.process.send_signal(signal.SIGINT)
    time.sleep(0.3)  # it says that it leaves for a second
    b.process.send_signal(signal.SIGINT)
    b.ends(130)
    a.process.send_signal(signal.SIGINT)
    a.ends(0)


def busy_port():
    a = Member("ba")
    a.hears("ready")
    code, out, err = run("gossip", "--bind", a.address, "--dir", os.path.join(FOLDER, "bb"))
    demand(code == 1 and out == "" and "E_PORT_BUSY" in err, f"a busy port: {code} {err}")
    demand("--bind" in err and "node.listen" not in err, f"what to do about it: {err}")


def usage():
    for words in (["--tag", "k"], ["--tag", "k=v", "--meta", "x"], ["--meta", "x" * 513],
                  ["--app", "consul"], ["--preset", "fast"], ["--bind", "nowhere"]):
        code, out, err = run("gossip", "--dir", os.path.join(FOLDER, "u"), *words)
        demand(code == 2 and out == "" and "E_USAGE" in err, f"{words}: {code} {err}")


def main():
    cases = [lines_and_verbs, serf_verbs, keys, http, descriptors, faults, people, signals,
             busy_port, usage]
    failed = 0
    try:
        for case in cases:
            try:
                case()
                print(f"{case.__name__}: passed")
            except AssertionError as error:
                failed += 1
                print(f"{case.__name__}: FAILED: {error}")
    finally:
        for member in RUNNING:
            if member.process.poll() is None:
                member.process.kill()
                member.process.wait()
        shutil.rmtree(FOLDER, ignore_errors=True)
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
