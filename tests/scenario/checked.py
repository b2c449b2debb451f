"""Runs the two ends of `checker` and tells how far they are.

    with Checked([program, "check", …], [program, "send", …]) as run:
        run.wait_for_taken(500, seconds=30)   # then break something
        print(run.finish(seconds=120))        # the sender's last line; raises CheckFailed
"""
import re
import subprocess
import threading
import time

PAUSE_SECONDS = 0.02


class CheckFailed(Exception):
    """A message was lost, doubled, late, changed or not taken; the text has both ends' words."""


class End:
    """One process; a thread reads what it prints."""

    def __init__(self, command, **options):
        self.lines, self.taken, self.kind = [], 0, "none"
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, **options)
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            line = line.rstrip()
            if number := re.fullmatch(r"(?:taken|got) (\d+)", line):
                self.taken = int(number[1])
            elif kind := re.fullmatch(r"path (\S+)", line):
                self.kind = kind[1]
            else:
                self.lines.append(line)

    def end(self, seconds):
        """The exit code, or None if it had to be killed."""
        try:
            code = self.process.wait(max(seconds, 0.1))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = None
        self.reader.join()
        self.process.stdout.close()
        return code


class Checked:
    def __init__(self, check, send, **options):
        self.checker = End(check, **options)
        self.sender = End(send, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for end in (self.sender, self.checker):
            if end.process.poll() is None:
                end.process.kill()
            if end.reader.is_alive():
                end.end(1)

    def wait_for_taken(self, number, seconds):
        self._wait(lambda: self.sender.taken >= number, seconds, f"{number} messages")

    def wait_for_kind(self, kinds, seconds):
        self._wait(lambda: self.sender.kind in kinds, seconds, f"a path {' or '.join(kinds)}")

    def _wait(self, condition, seconds, what):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise CheckFailed(f"no {what} in {seconds} s: {self.story()}")
            if any(e.process.poll() not in (None, 0) for e in (self.sender, self.checker)):
                raise CheckFailed(self.story())
            time.sleep(PAUSE_SECONDS)

    def finish(self, seconds):
        end = time.monotonic() + seconds
        codes = [e.end(end - time.monotonic()) for e in (self.sender, self.checker)]
        if codes != [0, 0]:
            raise CheckFailed(self.story())
        return self.sender.lines[-1]

    def story(self):
        return "; ".join(f"{name} ({end.process.poll()}) after {end.taken}, on {end.kind}: "
                         f"{' | '.join(end.lines[-3:])}"
                         for name, end in (("sender", self.sender), ("checker", self.checker)))
