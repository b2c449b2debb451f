"""Members of both kinds that come, go, stop and change, all by one seed.

Nothing waits for the cluster to have seen the change before; what takes its time (a leave, a change
of tags) runs beside. Only the first member, by which the others join, stays.
"""
import collections
import heapq
import threading
import time

from gossip_lab import CONT, STOP, Ours, Serf, Wrong

PROTOCOLS = (2, 3, 4, 5)
OURS = 3
# One member of each kind besides the first is always there, so that each kind's view is looked at.
ALIVE_LEAST = 3
STOPPED_SECONDS = (0.5, 8.0)
# From its start until a member has surely met all that are there.
MEETING_SECONDS = 15


class Churn:
    def __init__(self, lab, rng, pause):
        self.rng, self.pause = rng, pause
        self.serfs = [lab.add(Serf, f"s{protocol}") for protocol in PROTOCOLS]
        self.ours = [lab.add(Ours, f"g{i}") for i in range(OURS)]
        self.root = self.serfs[0]
        self.state, self.started, self.went = {}, {}, {}
        self.busy = set()  # stands still, or leaves, or changes its tags
        self.wakes = []  # (when, name): who stands still
        self.by_name = {m.name: m for m in self.serfs + self.ours}
        self.threads = []
        self.errors = []
        self.counts = collections.Counter()
        for member in self.serfs + self.ours:
            self.start(member)

    def start(self, member):
        join = self.root if member is not self.root else None
        if isinstance(member, Serf):
            member.start(join=join, protocol=int(member.name[1]), compress=member.name != "s4",
                         tags=[f"role=p{member.name[1]}"])
        else:
            member.start(join=join, tags=["role=web"] if member.name != "g2" else [])
        self.state[member] = "alive"
        self.started[member.name] = time.monotonic()

    def gone(self, member, state):
        self.state[member] = state
        self.went[member.name] = time.monotonic()

    def may_lack(self, viewer, name):
        """Nobody tells a newcomer of those that were gone when it came (memberlist has no use for a
        death of somebody unknown)."""
        gone = self.state[self.by_name[name]] != "alive"
        return gone and self.started[viewer] > self.went[name] - MEETING_SECONDS

    def kill(self, member):
        member.kill()
        self.gone(member, "failed")

    def stop(self, member):
        member.signal(STOP)
        self.busy.add(member)
        wake = time.monotonic() + self.rng.uniform(*STOPPED_SECONDS)
        heapq.heappush(self.wakes, (wake, member.name))

    def beside(self, member, work):
        self.busy.add(member)

        def run():
            try:
                work()
            except Exception as error:  # told when it is calm
                self.errors.append(f"{member.name}: {error}")
            finally:
                self.busy.discard(member)
        thread = threading.Thread(target=run, daemon=True)
        self.threads.append(thread)
        thread.start()

    def leave(self, member):
        def work():
            member.leave()
            self.gone(member, "left")
        self.gone(member, "left")
        self.beside(member, work)

    def tags(self, member):
        tag = f"n={self.rng.randrange(1000)}"
        if isinstance(member, Serf):
            self.beside(member, lambda: member.rpc("tags", "-set", tag))
        else:
            self.beside(member, lambda: member.verb("tags", "set", tag, check=False))

    def wake(self, all_of_them=False):
        while self.wakes and (all_of_them or self.wakes[0][0] <= time.monotonic()):
            member = self.by_name[heapq.heappop(self.wakes)[1]]
            member.signal(CONT)
            self.busy.discard(member)

    def may_go(self, member):
        """Whether enough stay when it goes."""
        kind = self.serfs[1:] if isinstance(member, Serf) else self.ours
        alike = [m for m in kind if self.state[m] == "alive" and m not in self.busy]
        total = [m for m, state in self.state.items() if state == "alive"]
        return len(alike) > 1 and len(total) > ALIVE_LEAST

    def change(self):
        free = [m for m in self.state if m is not self.root and m not in self.busy]
        if not free:
            return
        member = self.rng.choice(free)
        if self.state[member] != "alive":
            how = self.start
        else:
            going = [self.kill, self.leave, self.stop] if self.may_go(member) else []
            how = self.rng.choice([*going, self.tags])
        how(member)
        self.counts[how.__name__] += 1

    def run(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.change()
            time.sleep(self.rng.uniform(0.5, 1.5) * self.pause)
            self.wake()

    def calm(self):
        """All go on, and what ran beside has ended."""
        self.wake(all_of_them=True)
        for thread in self.threads:
            thread.join(40)
        self.threads.clear()
        if self.errors:
            raise Wrong("; ".join(self.errors))

    def return_all(self):
        for member, state in self.state.items():
            if state != "alive":
                self.start(member)

    def told(self):
        return ", ".join(f"{count} {what}" for what, count in sorted(self.counts.items()))
