#!/usr/bin/env python3
"""Every example runs, against a hub on loopback, and does what its first lines say.

usage: examples.py --ginnel PROGRAM --build BUILD [--only WORD]

 1. hello in C++, C and Python, each with each of the others; in a loop of its own: with one thread
 2. the five lines of Python
 3. ask: a sum, an error, nobody
 4. chat in C++, C and Python together
 5. pool: three members have the same results; two of them when the third never comes
 6. attach: the daemon's node from a program; no daemon, another user, a daemon that comes back
"""
import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
import traceback

from hello import Hub
from requests import Peer

HELLO_SECONDS = 40
SUM_OF_SQUARES = sum(n * n for n in range(100))
HELLOS = {"cc": ["examples/hello"], "c": ["examples/hello-c"], "polled": ["examples/hello-polled"],
          "py": [sys.executable, "hello.py"]}


class Failed(Exception):
    pass


def must(holds, what):
    if not holds:
        raise Failed(what)


class World:
    """The programs of a build, with a folder and a token."""

    def __init__(self, build, folder, hub):
        self.build, self.folder, self.hub = os.path.abspath(build), folder, hub
        self.source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples")
        self.token = hub.run("invite", "--uses", "100").strip()

    def start(self, words, *arguments, **environment):
        program = [os.path.join(self.source if word.endswith(".py") else self.build, word)
                   if not os.path.isabs(word) else word for word in words]
        plain = {k: v for k, v in os.environ.items() if not k.startswith("GINNEL_")}
        plain.update(GINNEL_TOKEN=self.token, XDG_STATE_HOME=self.folder, **environment,
                     PYTHONPATH=os.path.join(self.build, "python"))
        return Program([*program, *arguments], plain)


class Program:
    def __init__(self, command, environment):
        self.lines, self.errors = [], []
        self.process = subprocess.Popen(command, env=environment, text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.readers = [threading.Thread(target=self._read, args=pair) for pair in
                        ((self.process.stdout, self.lines), (self.process.stderr, self.errors))]
        for reader in self.readers:
            reader.start()

    @staticmethod
    def _read(stream, lines):
        for line in stream:
            lines.append(line.rstrip("\n"))
        stream.close()

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def wait_for(self, line, seconds=30):
        end = time.monotonic() + seconds
        while line not in self.lines:
            must(time.monotonic() < end, f"no '{line}' from {self.story()}")
            time.sleep(0.02)

    def end(self, seconds=HELLO_SECONDS):
        """Closes its input; its exit code."""
        self.process.stdin.close()
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        for reader in self.readers:
            reader.join()
        return code

    def succeed(self):
        must(self.end() == 0, self.story())

    def story(self):
        return f"{self.process.args} ({self.process.returncode}): {self.lines} {self.errors}"


def hellos_of_all_languages(world):
    """One pair after the other: each program meets one of another language."""
    for left, right in (("cc", "c"), ("c", "py"), ("py", "polled"), ("polled", "cc")):
        names = f"l-{left}", f"r-{right}"
        one = world.start(HELLOS[left], "--dir", os.path.join(world.folder, names[0]), *names)
        two = world.start(HELLOS[right], "--dir", os.path.join(world.folder, names[1]), *names[::-1])
        one.succeed()
        two.succeed()
        for program, other in ((one, names[1]), (two, names[0])):
            must(f"{other}: hello from {other}" in program.lines, program.story())
            if "polled" in str(program.process.args[0]):
                must("threads: 1" in program.lines, program.story())


def five_lines_of_python(world):
    program = world.start([sys.executable], "-c", """
import ginnel
node = ginnel.Node.join(token=ginnel.token_from_env(), name="five")
chat = node.on_message("chat", lambda m: (print(m.text), node.stop()))
node.send("five", "chat", "hello")
node.run()
""")
    program.succeed()
    must(program.lines == ["hello"], program.story())


def sums_are_asked_for(world):
    server = world.start(["examples/ask"], "server")
    server.wait_for("ready")
    client = world.start(["examples/ask"], "client", "server", "3", "4")
    client.succeed()
    must(client.lines == ["7"], client.story())
    bad = world.start(["examples/ask"], "client", "server", "three")
    must(bad.end() == 1 and bad.errors, bad.story())
    server.succeed()


def chats_of_all_languages(world):
    programs = {"ccc": ["examples/chat"], "cc": ["examples/chat-c"], "cpy": [sys.executable, "chat.py"]}
    talking = {name: world.start(words, name, *[other for other in programs if other != name])
               for name, words in programs.items()}
    for name, program in talking.items():
        said = f"it is {name} who speaks"
        program.say(said)
        for other, listener in talking.items():
            if other != name:
                listener.wait_for(f"{name}: {said}")
    for program in talking.values():
        program.succeed()


def pools_need_no_leader(world):
    for members, coming in ((["p1", "p2", "p3"], 3), (["q1", "q2", "q3"], 2)):
        programs = [world.start(["examples/pool"], name, *members) for name in members[:coming]]
        own = 0
        for program in programs:
            must(program.end(90) == 0, program.story())
            must(program.lines[0].startswith(f"sum {SUM_OF_SQUARES} own "), program.story())
            own += int(program.lines[0].split()[-1])
        must(own >= 100, f"{own} jobs done by {members}")


def await_true(condition, what, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        must(time.monotonic() < end, what)
        time.sleep(0.05)


def attached_programs(world):
    import ginnel  # of this build
    daemon = Peer(world.hub.program, world.folder, "ann", world.token)
    try:
        with ginnel.Node.attach(daemon.dir) as ann, \
                ginnel.Node.join(world.token, "ben", os.path.join(world.folder, "ben")) as ben:
            talk_through_the_daemon(ginnel, ann, ben)
            the_daemon_comes_back(ginnel, ann, ben, daemon)
    finally:
        if daemon.process.poll() is None:
            daemon.stop()
    no_way_in(ginnel, world, daemon)


def talk_through_the_daemon(ginnel, ann, ben):
    must(ann.name == "ann" and ann.id.startswith("C") and ann.wait_online(20), "who it is")
    got, heard = [], []
    strange = bytes(range(256))
    ben.on_message("in", lambda m: got.append((m.from_name, m.data)))
    ann.on_message("out", lambda m: heard.append((m.from_name, m.data)))
    must(ann.send_acked("ben", "in", b"first", 20) == [], "a message to ben")
    for number in range(50):
        ann.send("ben", "in", strange + bytes([number]))
    await_true(lambda: len(got) == 51, f"all messages, not {len(got)}")
    must(got == [("ann", b"first")] + [("ann", strange + bytes([n])) for n in range(50)], "their order")
    must(ben.send_acked("ann", "out", strange, 20) == [] and heard == [("ben", strange)], "the way back")
    failed = ann.send_acked(["ben", "nobody"], "in", "x", 1)
    must([(f.peer, f.error.code) for f in failed] == [("nobody", ginnel.Code.UNKNOWN_PEER)], f"{failed}")
    ben.on_request("twice", lambda r: r.data * 2)
    ann.on_request("thrice", lambda r: r.data * 3)
    must(ann.request("ben", "twice", "ab").data == b"abab", "ben's answer")
    must(ben.request("ann", "thrice", "ab").data == b"ababab", "ann's answer")
    ann.on_request("never", lambda r: r.fail(ginnel.Code.DENIED))
    try:
        ben.request("ann", "never", "")
        raise Failed("an answer to what was denied")
    except ginnel.GinnelError as error:
        must(error.code == ginnel.Code.DENIED, str(error))
    await_true(lambda: "ben" in [p.name for p in ann.peers() if p.state == "online"], str(ann.peers()))
    datagrams_arrive(ann, ben)
    lost = []
    ann.on_undelivered(lost.append)
    ann.send("nobody", "in", "into the void")
    await_true(lambda: [(u.peer, u.data, u.sent) for u in lost] == [("nobody", b"into the void", False)],
               f"what was lost comes back: {lost}")


def datagrams_arrive(ann, ben):
    """On loopback, and with a session: none gets lost."""
    far, near = [], []
    ben.on_message("fast", lambda m: far.append(m.text))
    ann.on_message("fast", lambda m: near.append(m.text))
    ann.send_datagram("ben", "fast", "there")
    ben.send_datagram("ann", "fast", "and back")
    await_true(lambda: (far, near) == (["there"], ["and back"]), f"{far} {near}")


def the_daemon_comes_back(ginnel, ann, ben, daemon):
    heard = []
    ann.on_message("again", lambda m: heard.append(m.text))
    daemon.stop()
    try:
        ann.send("ben", "in", "x")
        raise Failed("sent without a daemon")
    except ginnel.GinnelError as error:
        must(error.code == ginnel.Code.NOT_RUNNING, str(error))
    daemon.start()
    end = time.monotonic() + 40
    while ben.send_acked("ann", "again", "back", 5):
        must(time.monotonic() < end, "the subscription did not come back")
    must("back" in heard, str(heard))


def no_way_in(ginnel, world, daemon):
    try:
        ginnel.Node.attach(os.path.join(world.folder, "nothing"))
        raise Failed("attached to nothing")
    except ginnel.GinnelError as error:
        must(error.code == ginnel.Code.NOT_RUNNING and error.hint, str(error))
    if os.geteuid() != 0:
        return  # there is no other user to be
    daemon.start()
    try:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.setgid(65534)
                os.setuid(65534)
                ginnel.Node.attach(daemon.dir)
            except ginnel.GinnelError as error:
                code = 0 if error.code == ginnel.Code.PERMISSION else 2
            finally:
                os._exit(code)
        must(os.waitpid(child, 0)[1] == 0, "another user is refused")
    finally:
        daemon.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ginnel", required=True)
    parser.add_argument("--build", required=True)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    sys.path.insert(0, os.path.join(options.build, "python"))
    good = True
    with tempfile.TemporaryDirectory() as folder, Hub(options.ginnel, folder) as hub:
        hub.token()  # once it answers
        os.chmod(folder, 0o755)  # another user comes as far as the daemon's own folder
        world = World(options.build, folder, hub)
        for check in (hellos_of_all_languages, five_lines_of_python, sums_are_asked_for,
                      chats_of_all_languages, pools_need_no_leader, attached_programs):
            if options.only not in check.__name__:
                continue
            what, begun = check.__name__.replace("_", " "), time.monotonic()
            try:
                check(world)
                print(f"ok      {what} ({time.monotonic() - begun:.1f} s)", flush=True)
            except Exception:
                good = False
                print(f"FAILED  {what}\n{traceback.format_exc()}", flush=True)
        if not good:
            with open(os.path.join(folder, "hub.log"), encoding="utf-8") as log:
                print("hub's log:\n" + log.read()[-4000:])
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
