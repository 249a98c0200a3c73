#!/usr/bin/env python3
"""Kills the courier's hands again and again while assignments come and go, and looks whether AWS then has
what was wanted. Usage: killed.py HANDS URL ROUNDS [SEED]

This is what teamd does, in small: each assignment has a row; what a step said is written into the row
before the next is asked for; after a kill each row's step is asked for once more. The rows are here,
so that nothing but the hands can be wrong."""

import json
import os
import random
import subprocess
import sys
import time
import urllib.request

NEXT = {"look-up": "grant", "grant": "open", "remove": "closed"}
RESULT = {"look-up": ("there", "not there"), "grant": ("granted",), "remove": ("gone",)}


class Rows:
    """(account, set, user) -> the step that is to be done, or "open", "closed", "theirs"."""

    def __init__(self, url, chance):
        world = json.load(urllib.request.urlopen(f"{url}/_double/world"))
        self.names = {v: k for kind in ("accounts", "sets", "users") for k, v in world[kind].items()}
        self.every = [(a, world["sets"][s], u) for a in ("111122223333", "111122224444", "222233334444")
                      for s in ("AdministratorAccess", "ReadOnlyAccess") for u in world["users"].values()]
        self.steps, self.chance = {}, chance

    def stir(self):
        """Some that are closed or new are wanted, some that are open are not any more, and some are given up
        while they are made."""
        for key in self.every:
            step = self.steps.get(key, "closed")
            if step == "closed" and self.chance.random() < 0.2:
                self.steps[key] = "look-up"
            elif step in ("open", "grant") and self.chance.random() < 0.2:
                self.steps[key] = "remove"

    def lines(self):
        return [f"{step} {' '.join(key)}" for key, step in self.steps.items() if step in NEXT]

    def heard(self, line):
        """A line of the hands: "grant ACCOUNT SET USER: granted"."""
        what, _, result = line.strip().rpartition(": ")
        step, *key = what.split(" ")
        key = tuple(key)
        if self.steps.get(key) != step or result not in RESULT[step]:
            return
        self.steps[key] = "theirs" if result == "there" else NEXT[step]

    def wanted(self):
        return sorted(f"{self.names[a]} {self.names[s]} USER {self.names[u]}"
                      for (a, s, u), step in self.steps.items() if step in ("open", "theirs"))


def post(url, what, value):
    urllib.request.urlopen(f"{url}/_double/{what}", json.dumps(value).encode()).read()


def run(hands, rows, seconds):
    """Lets the hands work for so long, or until nothing is left to do, and kills them."""
    with subprocess.Popen([hands], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.DEVNULL) as p:
        asked = set()
        end = time.monotonic() + seconds
        os.set_blocking(p.stdout.fileno(), False)
        # The hands read their next line when all before are begun, so they stay open for more.
        while time.monotonic() < end:
            fresh = [line for line in rows.lines() if line not in asked]
            asked.update(fresh)
            if fresh:
                p.stdin.write("".join(line + "\n" for line in fresh) + "sleep 50\n")
            else:
                p.stdin.write("sleep 50\n")
            p.stdin.flush()
            time.sleep(0.05)
            for line in p.stdout.readlines():
                rows.heard(line)
            if not rows.lines():
                break
        p.kill()
        os.set_blocking(p.stdout.fileno(), True)
        if p.stdout.readable() and rows.chance.random() < 0.5:  # what was said last may be lost, or not
            for line in p.stdout.readlines():
                rows.heard(line)


def main():
    hands, url, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.SystemRandom().randrange(1 << 32)
    print(f"# seed {seed}", flush=True)
    rows = Rows(url, random.Random(seed))
    post(url, "set", {"progress_s": 0.4, "propagation_s": 0.2})
    permanent = rows.every[::5]
    for account, arn, user in permanent:
        post(url, "assign", {"account": account, "set": arn, "principal": user})
    for i in range(rounds):
        rows.stir()
        if i % 4 == 0:
            post(url, "faults", {"op": "(Create|Delete|Describe|List).*Assignment.*", "times": 3,
                                 "do": rows.chance.choice(["reset", "throttle", "html", "truncate"]),
                                 "done": rows.chance.random() < 0.5})
        run(hands, rows, rows.chance.uniform(0.1, 1.5))
    post(url, "calm", {})
    run(hands, rows, 300)
    there = urllib.request.urlopen(f"{url}/_double/assignments").read().decode().splitlines()
    theirs = {" ".join((rows.names[a], rows.names[s], "USER", rows.names[u])) for a, s, u in permanent}
    wanted = sorted(set(rows.wanted()) | theirs)
    print(f"# {sum(s == 'open' for s in rows.steps.values())} open, {len(theirs)} permanent, "
          f"{len(rows.lines())} not done")
    for line in sorted(set(there) - set(wanted)):
        print(f"left: {line}")
    for line in sorted(set(wanted) - set(there)):
        print(f"missing: {line}")
    sys.exit(there != wanted or bool(rows.lines()))


if __name__ == "__main__":
    main()
