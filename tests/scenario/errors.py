#!/usr/bin/env python3
"""Every error that a user is likely to meet, provoked for real, against its golden text.

usage: errors.py --ginnel PROGRAM [--update]

Each scene of the story runs real commands, daemons included, in a folder and (as root) a network
namespace of its own. Each command that must fail runs twice, plain and with --json, and is held to
docs/cli.md, "Errors":

    ginnel: WHAT FAILED: WHY [E_CODE]
      -> WHAT TO DO NEXT

on stderr, nothing on stdout, the exit code of the code, and the same as one document with --json.
The transcript is compared with errors.txt; --update writes it. Ports, process ids, Ids and the
folder are replaced by words, so that it is the same on every machine.

Scenes that need root to take rights away (no TUN device, an unreadable key, a range in use) are
left out, and said to be, where the script does not run as root.
"""
import argparse
import contextlib
import difflib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "errors.txt")
START_SECONDS = 30  # for a daemon to be ready, on a busy machine
IN_NAMESPACE = "GINNEL_ERRORS_NAMESPACE"
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
POWERLESS = ["setpriv", "--bounding-set=-all"]  # root without capabilities
LINE = re.compile(r"^ginnel: [^:]+: .+ \[(E_[A-Z_]+)\]$")
PROBLEM = re.compile(r"^\S+\.toml:\d+:\d+: .+ \[E_CONFIG_[A-Z]+\]( did you mean \".+\"\?)?$")


class Story:
    """Runs commands, and keeps what is to be compared."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.lines, self.wrong, self.secrets = [], [], []
        self.words = [(re.escape(folder), "DIR")]
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("GINNEL_")}
        self.environment["PATH"] = os.path.dirname(program) + ":" + self.environment["PATH"]

    def path(self, name):
        return os.path.join(self.folder, name)

    def call(self, *words, prefix=(), env=None):
        return subprocess.run([*prefix, self.program, *words], cwd=self.folder, text=True,
                              timeout=90, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=False, env={**self.environment, **(env or {})})

    def does(self, *words, **how):
        """A command that must succeed; it is no part of the transcript."""
        ran = self.call(*words, **how)
        if ran.returncode != 0:
            raise RuntimeError(f"{words}: exit {ran.returncode}: {ran.stdout}{ran.stderr}")
        return ran.stdout.strip()

    def scene(self, title):
        self.lines += ["", "# " + title]

    def says(self, text):
        for pattern, word in self.words:
            text = re.sub(pattern, word, text)
        return text

    def complain(self, words, text):
        self.wrong.append(f"ginnel {' '.join(words)}: {text}")

    def fails(self, *words, exit_code, code, **how):
        """A command that must fail so, plain and with --json."""
        ran = self.call(*words, **how)
        self.note(words, ran, ran.stderr, how)
        self.check_plain(words, ran, exit_code, code)
        ran_json = self.call(*words, "--json", **how)
        self.check_json(words, ran, ran_json, exit_code, code)

    def note(self, words, ran, text, how=None):
        who = "(without rights) " if how and how.get("prefix") else ""
        self.lines.append(f"{who}$ ginnel {self.says(' '.join(words))}")
        self.lines += [self.says(line) for line in text.splitlines()]
        self.lines.append(f"exit {ran.returncode}")

    def check_plain(self, words, ran, exit_code, code):
        lines = ran.stderr.splitlines()
        if ran.stdout:
            self.complain(words, f"stdout is not empty: {ran.stdout!r}")
        if ran.returncode != exit_code:
            self.complain(words, f"exit {ran.returncode}, not {exit_code}: {ran.stderr}")
        shape = LINE.match(lines[-2]) if len(lines) >= 2 else None
        if not shape or not re.match(r"^  -> .+", lines[-1]):
            return self.complain(words, f"not the two lines of an error: {ran.stderr!r}")
        if shape.group(1) != code:
            self.complain(words, f"{shape.group(1)}, not {code}")
        for line in lines[:-2]:
            if not PROBLEM.match(line):
                self.complain(words, f"what is this line? {line!r}")
        for secret in self.secrets:
            if secret in ran.stderr:
                self.complain(words, "a secret is shown")

    def check_json(self, words, plain, ran, exit_code, code):
        if ran.stdout or ran.returncode != exit_code:
            self.complain(words, f"--json: exit {ran.returncode}, stdout {ran.stdout!r}")
        try:
            document = json.loads(ran.stderr)
        except ValueError:
            return self.complain(words, f"--json: no document: {ran.stderr!r}")
        error = document.get("error", {})
        if document.get("v") != 1 or error.get("code") != code or error.get("exit") != exit_code:
            self.complain(words, f"--json: {ran.stderr}")
        lines = plain.stderr.splitlines()
        if len(lines) < 2:
            return  # complained about already
        same = (error.get("text", "").splitlines() or [""])[0] + f" [{code}]"
        if ["ginnel: " + same, "  -> " + error["hint"]] != lines[-2:]:
            self.complain(words, f"--json says something else: {ran.stderr}")


class Daemon:
    """`ginnel up --foreground` from its readiness to its end."""

    def __init__(self, story, name, prefix=()):
        self.story, self.dir, self.log = story, story.path(name), story.path(name + ".log")
        self.prefix, self.process = prefix, None

    def __enter__(self):
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [*self.prefix, self.story.program, "--dir", self.dir, "up", "--foreground"],
                stdout=log, stderr=log, env=self.story.environment)
        end = time.monotonic() + START_SECONDS
        while self.story.call("--dir", self.dir, "status").returncode != 0:
            if self.process.poll() is not None or time.monotonic() > end:
                with open(self.log, encoding="utf-8") as log:
                    raise RuntimeError(f"{self.dir} did not come up: {log.read()}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


def free_port():
    """A port that is free, and the next one: a hub's STUN wants both."""
    while True:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as one, \
                socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as two:
            one.bind(("::", 0))
            port = one.getsockname()[1]
            with contextlib.suppress(OSError, OverflowError):
                two.bind(("::", port + 1))
                return port


def write(story, name, text, mode=0o600):
    path = story.path(name)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    os.chmod(path, mode)
    return path


def copy_of(story, name, copy):
    shutil.copytree(story.path(name), story.path(copy),
                    ignore=shutil.ignore_patterns("*.sock"))
    return story.path(copy)


def as_nobodys(path):
    for folder, _, names in os.walk(path):
        for each in [folder, *(os.path.join(folder, n) for n in names)]:
            os.chown(each, 65534, 65534)


def make_hub(story, name="hub"):
    port = free_port()
    story.words += [(rf"\b{port}\b", "PORT"), (rf"\b{port + 1}\b", "PROBEPORT"),
                    (r"\b[CS][0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "ID"),
                    (r"\bprocess \d+", "process PID"), (r"\bpid \d+", "pid PID")]
    endpoint = f"127.0.0.1:{port}"
    story.does("--dir", story.path(name), "init", "--hub", "--name", name, "--listen", endpoint,
               "--public", endpoint)
    story.does("--dir", story.path(name), "config", "set", "tun.enable", "no")


def token(story, name, *flags, hub="hub"):
    text = story.does("--dir", story.path(hub), "invite", *flags)
    story.secrets.append(text)
    return write(story, name, text + "\n")


def join(story, name, token_file):
    story.does("--dir", story.path(name), "join", "--no-tun", "--name", name, "--token-file",
               token_file)


# ---- the scenes ----


def usage(story):
    story.scene("A command line that means nothing")
    story.fails("stauts", exit_code=2, code="E_USAGE")
    story.fails("config", exit_code=2, code="E_USAGE")
    story.fails("status", "--wach", exit_code=2, code="E_USAGE")
    story.fails("msg", "bob", exit_code=2, code="E_USAGE")
    story.fails("ping", "bob", "-c", "many", exit_code=2, code="E_USAGE")
    story.fails("lock", "ls", exit_code=2, code="E_USAGE")
    story.fails("help", "E_HUB", exit_code=2, code="E_USAGE")


def no_daemon(story):
    story.scene("Nothing here, and no daemon")
    nothing = ["--dir", story.path("nothing")]
    story.fails(*nothing, "status", exit_code=3, code="E_NOT_RUNNING")
    story.fails(*nothing, "msg", "bob", "hello", exit_code=3, code="E_NOT_RUNNING")
    story.fails(*nothing, "up", exit_code=1, code="E_NOT_JOINED")
    story.fails(*nothing, "up", "--foreground", exit_code=1, code="E_NOT_JOINED")
    story.fails(*nothing, "init", exit_code=2, code="E_USAGE")
    story.fails(*nothing, "config", "check", exit_code=2, code="E_FILE")
    if os.path.exists(story.path("nothing")):
        story.wrong.append("commands that failed have made a folder")
    story.scene("A hub that is stopped")
    story.fails("--dir", story.path("hub"), "invite", exit_code=3, code="E_NOT_RUNNING")
    story.fails("--dir", story.path("hub"), "down", exit_code=3, code="E_NOT_RUNNING")


def wrong_tokens(story):
    story.scene("A token that is none, is cut short, or is not there")
    bob = ["--dir", story.path("bob"), "join", "--name", "bob", "--token-file"]
    good = token(story, "good")
    with open(good, encoding="utf-8") as file:
        text = file.read().strip()
    story.fails(*bob, write(story, "none", "hello\n"), exit_code=4, code="E_TOKEN_MALFORMED")
    story.fails(*bob, write(story, "cut", text[:-3] + "\n"), exit_code=4, code="E_TOKEN_MALFORMED")
    story.fails(*bob, story.path("missing"), exit_code=2, code="E_FILE")
    story.fails("--dir", story.path("bob"), "join", exit_code=2, code="E_USAGE")
    story.scene("A token for another role")
    for_hub = token(story, "for-hub", "--hub")
    story.fails(*bob, for_hub, exit_code=4, code="E_TOKEN_INVALID")
    story.fails(*bob, good, "--hub", exit_code=4, code="E_TOKEN_INVALID")
    story.scene("A token that somebody has used, and one whose time is over")
    join(story, "alice", good)
    story.fails(*bob, good, exit_code=4, code="E_TOKEN_USED")
    short = token(story, "short", "--ttl", "1s")
    time.sleep(1.5)
    story.fails(*bob, short, exit_code=4, code="E_TOKEN_EXPIRED")
    story.scene("A name that another node has")
    story.fails("--dir", story.path("bob"), "join", "--name", "alice", "--token-file",
                token(story, "second"), exit_code=1, code="E_NAME_TAKEN")
    story.scene("A folder that holds the identity of another network")
    other = copy_of(story, "alice", "other")
    make_hub(story, "hub-of-others")
    with Daemon(story, "hub-of-others"):
        story.fails("--dir", other, "join", "--token-file",
                    token(story, "others", hub="hub-of-others"), exit_code=4,
                    code="E_WRONG_NETWORK")
    if os.path.exists(story.path("bob")):
        story.wrong.append("a join that failed has left something behind")


def forgotten_token(story):
    story.scene("A token that the hub does not know (its state was lost)")
    with Daemon(story, "hub"):
        lost = token(story, "lost")
    os.remove(os.path.join(story.path("hub"), "state", "tokens"))
    with Daemon(story, "hub"):
        story.fails("--dir", story.path("bob"), "join", "--name", "bob", "--timeout", "5",
                    "--token-file", lost, exit_code=4, code="E_TOKEN_INVALID")
    return lost


def unknown_hub(story, lost):
    story.scene("A hub that nobody answers for")
    story.fails("--dir", story.path("bob"), "join", "--name", "bob", "--timeout", "1",
                "--token-file", lost, exit_code=6, code="E_HUB_UNREACHABLE")


def unknown_peer(story):
    story.scene("A peer that nobody knows")
    alice = ["--dir", story.path("alice")]
    story.does(*alice, "config", "set", "network.resolve_timeout", "1s")
    with Daemon(story, "alice"):
        story.does(*alice, "wait", "--timeout", "20")
        for words in (["ping", "carol"], ["why", "carol"], ["status", "carol"],
                      ["msg", "carol", "hello"],
                      ["msg", "--ack", "--timeout", "1", "carol", "hello"],
                      ["ping", "C01234567-89ab-8cde-8123-456789abcdef"]):
            story.fails(*alice, *words, exit_code=5, code="E_UNKNOWN_PEER")
        story.fails("--dir", story.path("hub"), "revoke", "carol", exit_code=5,
                    code="E_UNKNOWN_PEER")
        story.scene("Of several peers, those that failed are printed")
        ran = story.call(*alice, "msg", "hub", "chat", "hello")
        story.note([*alice, "msg", "hub", "chat", "hello"], ran, ran.stdout + ran.stderr)
        story.scene("Nobody takes the message")
        story.does(*alice, "ping", "hub", "-c", "1")
        story.fails(*alice, "msg", "--ack", "--timeout", "2", "--channel", "news", "hub", "hello",
                    exit_code=6, code="E_NO_SUBSCRIBER")
        story.scene("Something does not come true in time")
        story.fails(*alice, "wait", "--peer", "carol", "--timeout", "1", exit_code=6,
                    code="E_TIMEOUT")
        story.scene("A peer is asked for what only a hub can do")
        story.fails(*alice, "invite", exit_code=1, code="E_NOT_A_HUB")
        story.fails(*alice, "revoke", "hub", exit_code=1, code="E_NOT_A_HUB")
        malformed_requests(story)
        story.scene("A second daemon in the same folder")
        story.fails(*alice, "up", exit_code=1, code="E_ALREADY_RUNNING")


def malformed_requests(story):
    """What no verb sends is refused, and the daemon goes on. No part of the transcript."""
    for path, body in [("invite", '{"hub":"x"}'), ("invite", '{"uses":"x"}'), ("invite", "[]"),
                       ("ping", '{"peer":"alice","count":"x"}'), ("ping", "{"), ("msg", "{}"),
                       ("msg", '{"peers":["alice"],"data":"x","ack":7}'), ("nothing", "{}")]:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            client.connect(os.path.join(story.path("hub"), "ginnel.sock"))
            client.sendall((f"POST /v1/{path} HTTP/1.1\r\nHost: x\r\n"
                            f"Content-Length: {len(body)}\r\n\r\n{body}").encode())
            answer = client.recv(65536).decode()
        if not answer.startswith("HTTP/1.1 4"):
            story.wrong.append(f"POST /v1/{path} {body}: {answer!r}")


def busy_port(story):
    story.scene("A port that another program has")
    twin = copy_of(story, "hub", "twin")
    story.fails("--dir", twin, "up", exit_code=1, code="E_PORT_BUSY")
    story.fails("--dir", twin, "up", "--foreground", exit_code=1, code="E_PORT_BUSY")


def broken_config(story):
    story.scene("A configuration that is wrong")
    wrong = copy_of(story, "alice", "wrong")
    config = os.path.join("wrong", "ginnel.toml")
    for verb in (["config", "check"], ["up"], ["up", "--foreground"]):
        write(story, config, '[node]\nnmae = "alice"\n[tun]\nmtu = 100\n[gossip]\napp = "serf"\n')
        story.fails("--dir", wrong, *verb, exit_code=7, code="E_CONFIG_KEY")
        write(story, config, "[tun]\nmtu = 100\n")
        story.fails("--dir", wrong, *verb, exit_code=7, code="E_CONFIG_VALUE")
        write(story, config, "[node\n")
        story.fails("--dir", wrong, *verb, exit_code=7, code="E_CONFIG_SYNTAX")
    write(story, config, "")
    story.fails("--dir", wrong, "config", "set", "tun.mut", "1300", exit_code=7,
                code="E_CONFIG_KEY")
    story.fails("--dir", wrong, "config", "set", "tun.mtu", "big", exit_code=7,
                code="E_CONFIG_VALUE")
    story.fails("--dir", wrong, "config", "get", "tun.mut", exit_code=7, code="E_CONFIG_KEY")
    story.fails("--dir", wrong, "config", "check", env={"GINNEL_LOG": "loud"}, exit_code=7,
                code="E_CONFIG_VALUE")
    story.scene("A running node is told to read a file that is wrong: it keeps what it has")
    with Daemon(story, "alice"):
        good = os.path.join("alice", "ginnel.toml")
        with open(story.path(good), encoding="utf-8") as file:
            text = file.read()
        write(story, good, text + '\n[log]\nlevel = "loud"\n')
        story.fails("--dir", story.path("alice"), "config", "reload", exit_code=7,
                    code="E_CONFIG_VALUE")
        write(story, good, text)


def unreadable_key(story):
    story.scene("A key that is damaged, that others can read")
    damaged = copy_of(story, "alice", "damaged")
    key = os.path.join("damaged", "state", "identity.key")
    write(story, key, "scrambled")
    story.fails("--dir", damaged, "up", exit_code=4, code="E_KEY_UNREADABLE")
    open_to_all = copy_of(story, "alice", "open")
    os.chmod(os.path.join(open_to_all, "state", "identity.key"), 0o644)
    story.fails("--dir", open_to_all, "up", exit_code=4, code="E_KEY_FILE_MODE")


def without_rights(story):
    story.scene("A key, a folder and a socket that this user may not touch")
    others = copy_of(story, "alice", "others-key")
    as_nobodys(others)
    os.chown(os.path.join(others, "state", "identity.key"), 0, 0)
    story.fails("--dir", others, "up", prefix=NOBODY, exit_code=4, code="E_KEY_UNREADABLE")
    private = copy_of(story, "alice", "private")
    story.fails("--dir", private, "up", prefix=NOBODY, exit_code=4, code="E_PERMISSION")
    with Daemon(story, "alice"):
        os.chmod(story.path("alice"), 0o755)
        story.fails("--dir", story.path("alice"), "status", prefix=NOBODY, exit_code=4,
                    code="E_PERMISSION")
        os.chmod(story.path("alice"), 0o700)


def no_tun(story):
    story.scene("A TUN device that this user may not make")
    folder = copy_of(story, "alice", "no-tun")
    story.does("--dir", folder, "config", "set", "tun.enable", "yes")
    story.fails("--dir", folder, "up", prefix=POWERLESS, exit_code=4, code="E_PERMISSION")
    story.does("--dir", folder, "config", "set", "tun.enable", "auto")
    with Daemon(story, "no-tun", prefix=POWERLESS):
        status = json.loads(story.does("--dir", folder, "status", "--json"))
    story.lines.append('tun.enable = "auto": the node runs, and `status` says')
    for row in status["health"]:
        if row["code"] == "E_NO_TUN":
            story.lines.append(f"{row['severity']} {row['code']} {row['text']} -> {row['fix']}")


def range_in_use(story):
    story.scene("An overlay range that this host uses for something else")
    folder = copy_of(story, "alice", "in-use")
    story.does("--dir", folder, "config", "set", "tun.enable", "auto")
    for words in (["link", "add", "office0", "type", "veth", "peer", "name", "office1"],
                  ["address", "add", "10.66.7.1/24", "dev", "office0"],
                  ["link", "set", "office0", "up"]):
        subprocess.run(["ip", *words], check=True)
    story.fails("--dir", folder, "up", exit_code=1, code="E_ADDRESS_IN_USE")
    subprocess.run(["ip", "link", "delete", "office0"], check=True)


def tell(story, root):
    usage(story)
    make_hub(story)
    no_daemon(story)
    with Daemon(story, "hub"):
        wrong_tokens(story)
    lost = forgotten_token(story)
    unknown_hub(story, lost)
    with Daemon(story, "hub"):
        unknown_peer(story)
        busy_port(story)
    broken_config(story)
    unreadable_key(story)
    if root:
        without_rights(story)
        no_tun(story)
        range_in_use(story)


def compare(story, root, update):
    text = "\n".join(story.lines).lstrip("\n") + "\n"
    if update:
        with open(GOLDEN, "w", encoding="utf-8") as out:
            out.write(text)
    with open(GOLDEN, encoding="utf-8") as file:
        golden = file.read()
    if not root:
        golden = golden[:golden.index("\n# A key, a folder and a socket")]
        print("not root: the scenes about missing rights and a range in use are left out")
    difference = list(difflib.unified_diff(golden.splitlines(), text.splitlines(), "errors.txt",
                                           "what happened", lineterm=""))
    print("\n".join(difference))
    return not difference


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ginnel", required=True)
    parser.add_argument("--update", action="store_true")
    options = parser.parse_args()
    root = os.geteuid() == 0
    if root and IN_NAMESPACE not in os.environ:
        os.environ[IN_NAMESPACE] = "1"
        os.execvp("unshare", ["unshare", "--net", sys.executable, os.path.abspath(__file__),
                              *sys.argv[1:]])
    if root:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory(prefix="ginnel-errors-") as folder:
        os.chmod(folder, 0o755)
        program = shutil.copy(options.ginnel, folder)  # where `nobody` may run it
        story = Story(program, folder)
        try:
            tell(story, root)
        except BaseException:
            print("\n".join(story.lines))
            raise
    for complaint in story.wrong:
        print("WRONG  " + complaint)
    same = compare(story, root, options.update)
    commands = sum(line.startswith(("$", "(")) for line in story.lines)
    print(f"{commands} commands, {len(story.wrong)} wrong, the transcript is "
          f"{'as' if same else 'not as'} recorded")
    return 0 if same and not story.wrong else 1


if __name__ == "__main__":
    sys.exit(main())
