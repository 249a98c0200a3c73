#!/usr/bin/env python3
"""A teamd that follows a script: listens on courier.sock, hands jobs to the real courier, answers it, and
prints what it says as lines of JSON. Usage: teamd.py SOCKET [GROUP]

Lines of stdin are jobs of the step `activity`, as JSON:
    {"job": 1, "round": 1, "account": ..., "set": ..., "principal": ..., "user": ..., "since": s, "until": s, "soon": 0}
or {"drop": 1}: hang up on the courier; {"answer": CODE}: what FOUND is answered from now on; {"slow": s}: and how
much later. Printed: {"up": 1}, {"call": {...}, "job": n}, {"gap": [from, until, why], "job": n}, {"done": outcome,
"text": ..., "job": n, "round": n}. Times are seconds since 1970."""

import json
import os
import select
import shutil
import socket
import struct
import sys
import threading
import time

ASK, ANSWER, ROWS = 1, 2, 3
WORK, RESULT, FOUND, ROW_JOB = 64, 65, 68, 7
TAGS = {"code": 1, "text": 2, "row": 6, "at": 56, "since": 66, "until": 67, "outcome": 85, "job": 96, "round": 97,
        "step": 98, "kind": 99, "account": 100, "set": 103, "principal": 104, "user": 105, "id": 144, "name": 145,
        "source": 146, "region": 147, "address": 148, "resource": 149, "error": 150, "read_only": 151, "raw": 152,
        "raw_size": 153, "soon": 159}
NAMES = {v: k for k, v in TAGS.items()}


def fields(**values):
    out = b""
    for name, value in values.items():
        value = value if isinstance(value, bytes) else str(value).encode()
        out += struct.pack(">HH", TAGS[name], len(value)) + value
    return out


def message(kind, op, count, body):
    return b"TE" + struct.pack(">BBHH", 1, kind, op, count) + body


def each(body):
    at = 0
    while at < len(body):
        tag, n = struct.unpack(">HH", body[at:at + 4])
        yield NAMES.get(tag, str(tag)), body[at + 4:at + 4 + n]
        at += 4 + n


class Teamd:
    def __init__(self, path, group):
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(path)
        if group:
            shutil.chown(path, group=group)
        os.chmod(path, 0o660)
        self.listener.listen(8)
        self.work, self.others, self.code, self.slow, self.lock = None, [], 0, 0, threading.Lock()

    def say(self, **line):
        with self.lock:
            print(json.dumps(line), flush=True)

    def hear(self, s):
        packet = s.recv(65536)
        if not packet:
            self.others.remove(s)
            self.work = None if self.work is s else self.work
            s.close()
            return
        op, body = struct.unpack(">H", packet[4:6])[0], packet[8:]
        if op == WORK:
            self.work = s
            self.say(up=1)
            return
        top = {k: v.decode() for k, v in each(body) if k != "row"}
        number = int(top["job"])
        if op == FOUND:
            time.sleep(self.slow)
            for row in [dict(each(v)) for k, v in each(body) if k == "row"]:
                row = {k: v.decode() for k, v in row.items()}
                if row.pop("kind") == "gap":
                    self.say(job=number, gap=[int(row["at"]) / 1e6, int(row["until"]) / 1e6, row["text"]])
                else:
                    json.loads(row["raw"])
                    self.say(job=number, call={**row, "at": int(row["at"]) / 1e6})
        elif op == RESULT:
            self.say(done=top["outcome"], text=top.get("text", ""), job=number, round=int(top["round"]))
        code = self.code if op == FOUND else 0
        s.send(message(ANSWER, op, 1, fields(code=code)))

    def obey(self, line):
        p = json.loads(line)
        if "drop" in p:
            for s in self.others:
                s.close()
            self.others, self.work = [], None
        elif "answer" in p or "slow" in p:
            self.code, self.slow = p.get("answer", self.code), p.get("slow", self.slow)
        else:
            row = fields(job=p["job"], round=p["round"], step="activity", account=p["account"], set=p["set"],
                         principal=p["principal"], user=p["user"], since=int(p["since"] * 1000000),
                         until=int(p["until"] * 1000000), **({"soon": 1} if p.get("soon") else {}))
            self.work.send(message(ROWS, ROW_JOB, 1, fields(row=row)))

    def run(self):
        rest = b""
        while True:
            ready, _, _ = select.select([self.listener, 0, *self.others], [], [])
            for s in ready:
                if s is self.listener:
                    self.others.append(s.accept()[0])
                elif s == 0:
                    more = os.read(0, 65536)
                    if not more:
                        return
                    *whole, rest = (rest + more).split(b"\n")
                    for line in whole:
                        self.obey(line)
                elif s in self.others:
                    self.hear(s)


if __name__ == "__main__":
    Teamd(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None).run()
