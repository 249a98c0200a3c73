"""What goes wrong, as tests script it: rules that are looked through in order for each call.

A rule: {"op": regular expression of the operation, "match": one of the call's key (see the log),
"times": how often (1; -1 for ever), "after": calls that match but are let through first,
"do": what, and what that needs}. Doings:

  error     code, message, status (400), header, done: carry it out nevertheless, then say no
  throttle  the service's own word for it; retry_after: seconds
  html      status (503): a page of some proxy; done
  reset     the connection is reset; done: after the operation was carried out
  truncate  half of the answer, then the end
  garbage   200, and no JSON
  twice     the answer with a member that is there twice
  huge      200, and bytes (8 MiB) of JSON
  slow      seconds: before the answer        drip   seconds: for the answer, byte by byte
  empty     a page without elements and with a token
  loop      a page whose token leads to itself
  double    each element of the page twice    again  the operation is carried out twice
  nulls     members that are absent are null
"""

import json
import re
import time
import uuid

import services

THROTTLES = {"organizations": "TooManyRequestsException", "sts": "Throttling"}
DOINGS = {"error", "throttle", "html", "reset", "truncate", "garbage", "twice", "huge", "slow", "drip",
          "empty", "loop", "double", "again", "nulls"}
KEYS = {"op", "match", "times", "after", "do", "code", "message", "status", "header", "done",
        "retry_after", "bytes", "seconds"}


class Faults:
    def __init__(self):
        self.rules = []

    def add(self, rules):
        for rule in rules if isinstance(rules, list) else [rules]:
            if rule.get("do") not in DOINGS or set(rule) - KEYS:
                raise ValueError(f"no such rule: {rule}")
            re.compile(rule.get("op", "")), re.compile(rule.get("match", ""))
            self.rules.append({"times": 1, "after": 0, **rule})

    def clear(self):
        self.rules = []

    def find(self, operation, key):
        """The first rule that fits, used up by one; {} if none does."""
        for rule in self.rules:
            if rule["times"] == 0 or not re.fullmatch(rule.get("op", ".*"), operation) or \
                    not re.search(rule.get("match", ""), key):
                continue
            if rule["after"] > 0:
                rule["after"] -= 1
                continue
            rule["times"] -= 1
            return rule
        return {}


class Limiter:
    """A bucket of tokens per service, filled at a rate, a second deep."""

    def __init__(self):
        self.buckets = {}

    def admits(self, service, rate):
        now = time.monotonic()
        tokens, last = self.buckets.get(service, (rate, now))
        tokens = min(rate, tokens + (now - last) * rate)
        self.buckets[service] = (tokens - (tokens >= 1), now)
        return tokens >= 1


def spoil_page(fault, request, answer, member):
    """The page as the rule wants it. `member` is the page's list."""
    offset = services.offset_of(request)
    if fault["do"] == "empty":
        answer[member] = []
        answer["NextToken"] = services.token_at(request, offset, uuid.uuid4().hex)
    elif fault["do"] == "loop":
        answer["NextToken"] = services.token_at(request, offset)
    elif fault["do"] == "double":
        answer[member] = [row for row in answer[member] for _ in range(2)]


def spoil_body(fault, body):
    text = body.decode()
    if fault["do"] == "twice":
        members = json.loads(text)
        name = next(iter(members))
        return ("{" + json.dumps(name) + ":null," + text[1:]).encode()
    if fault["do"] == "nulls":
        return (text[:-1] + (',' if len(text) > 2 else '') + '"NextToken":null,"Unheard":null}').encode()
    if fault["do"] == "garbage":
        return b"<!doctype html><title>Welcome to the hotel</title>"
    if fault["do"] == "huge":
        return b'{"Huge":"' + b"x" * fault.get("bytes", 8 << 20) + b'"}'
    return body
