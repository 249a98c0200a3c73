#!/usr/bin/env python3
"""A stand-in for AWS on loopback, judged by botocore: IAM Identity Center (sso-admin), its Identity
Store, Organizations and STS on one URL. Prints that URL as its first line, then serves until killed.

    double.py [--port N] [--regions eu-west-1] [--cert FILE --key FILE]

Each request is held against the models of AWS, its signature is made again by botocore's signer, and
answers are read back by botocore's parser before they leave. What breaks a rule is refused as AWS
would, and counted: GET /_double/breaches must stay empty. Tests steer it with curl:

    GET  /_double/log[?since=N]  a line of JSON per call: n, time, service, operation, key, status, ...
    GET  /_double/assignments    a line each: ACCOUNT SET USER|GROUP NAME
    GET  /_double/history        a line of JSON for each that came or went
    GET  /_double/breaches       what a client did wrong
    GET  /_double/world          names and ids, as JSON
    POST /_double/set            settings (world.py)      POST /_double/faults   rules (faults.py)
    POST /_double/fail           {match, reason, times, kind}: assignments that end as FAILED
    POST /_double/assign         {account, set, kind, principal} by name: somebody else's
    POST /_double/unassign       the same
    GET  /_double/queries        how many run, and did at most, by service
    POST /_double/ends           {logs|cloudtrail: [...]}: how the next queries end, as in FAILED
    POST /_double/add            {unit|account|set|user|group|key|records: ..., ...}: see CONTROL below
    POST /_double/remove         {account|user|group|set: name}
    POST /_double/grow           {accounts, depth, sets, users, groups, per_group}
    POST /_double/calm           no more faults           POST /_double/reset    as at the start
"""

import argparse
import email.utils
import http.server
import json
import socket
import socketserver
import ssl
import struct
import sys
import time
import traceback
import urllib.parse
import uuid

import faults
import judge
import services
import trail
import world

HTML = b"<html><body><h1>503 Service Unavailable</h1></body></html>"
LISTS = {"Instances", "AccountAssignmentsCreationStatus", "AccountAssignmentsDeletionStatus",
         "AccountAssignments", "PermissionSets", "AccountIds", "Users", "Groups", "GroupMemberships",
         "Accounts", "OrganizationalUnits", "Roots", "Parents", "Children"}


class Double:
    def __init__(self, regions):
        self.judge = judge.Judge()
        self.world = world.World(trail.Trail)
        self.faults = faults.Faults()
        self.limiter = faults.Limiter()
        self.regions = {"sso-admin": regions, "identitystore": regions, "sts": regions + ["us-east-1"],
                        "organizations": ["us-east-1"], "cloudtrail": regions + ["us-east-1"], "logs": regions}
        self.log, self.breaches, self.lock = [], [], self.world.lock

    def now(self):
        return time.time() + self.world.settings["clock_ahead_s"]

    # ---- one call ------------------------------------------------------------------------------------

    def call(self, request, entry):
        """(status, headers, body, fault)"""
        fault = {}
        try:
            self.judge.understand(request)
            entry.update(service=request.service, operation=request.operation.name, key=self._key(request))
            with self.lock:
                fault = self.faults.find(request.operation.name, entry["key"])
            entry["fault"] = fault.get("do")
            request.key = self.judge.check_signature(request, self.world.keys.get, self.regions, self.now())
            with self.lock:
                body, kind = self._carry_out(request, fault)
            return 200, {"content-type": kind}, body, fault
        except judge.Wrong as e:
            if e.breach:
                self.breaches.append({"n": entry["n"], "operation": entry["operation"], "why": str(e)})
            return (*self.error(request, e.code, e.message, e.status), fault)
        except world.Refusal as e:
            return (*self.error(request, e.code, e.message, e.status, fault), fault)

    def _carry_out(self, request, fault):
        settings = self.world.settings
        if settings["limits"] and not self._admits(request, settings):
            raise world.Refusal(self._throttle(request), "Rate exceeded")
        do = fault.get("do")
        if do in ("error", "throttle", "html", "reset") and not fault.get("done"):
            self._refuse(request, fault)
        function = services.OPERATIONS.get((request.service, request.operation.name))
        if function is None:
            raise world.Refusal("UnknownOperationException", "the double does not have this operation")
        if do == "again":
            function(self.world, request)
        answer = function(self.world, request)
        if do in ("empty", "loop", "double"):
            for member in LISTS.intersection(answer):  # one, or it is no list
                faults.spoil_page(fault, request, answer, member)
        body, kind = self.judge.answer(request.operation, answer)
        if do in ("error", "html", "reset"):
            self._refuse(request, fault)
        return faults.spoil_body(fault, body) if do in ("twice", "nulls", "garbage", "huge") else body, kind

    def _admits(self, request, settings):
        if request.operation.name == "LookupEvents":
            whose = (trail.account_of(self.world, request), trail.region_of(request))
            return self.limiter.admits(whose, settings["lookup_rate"])
        return self.limiter.admits(request.service, settings["rates"][request.service])

    def _throttle(self, request):
        return faults.THROTTLES.get(request.service, "ThrottlingException")

    def _refuse(self, request, fault):
        if fault["do"] == "throttle":
            raise world.Refusal(self._throttle(request), "Rate exceeded", fault.get("status", 400))
        raise world.Refusal(fault.get("code", ""), fault.get("message", ""),
                            fault.get("status", 503 if fault["do"] == "html" else 400))

    def error(self, request, code, message, status, fault=None):
        """An error in one of the forms that are seen."""
        fault = fault or {}
        extra = dict(fault.get("header", {}))
        if "retry_after" in fault:
            extra["retry-after"] = str(fault["retry_after"])
        if fault.get("do") == "html":
            return status, {"content-type": "text/html", **extra}, HTML
        if request.service == "sts":
            body = (f'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender'
                    f"</Type><Code>{code}</Code><Message>{judge.escape(message)}</Message></Error>"
                    "<RequestId>double</RequestId></ErrorResponse>")
            return status, {"content-type": "text/xml", **extra}, body.encode()
        form = self.world.settings["error_form"]
        full = {"namespace": f"com.amazonaws.double#{code}", "colon": f"{code}:http://internal/double/"}
        answer = {"Message" if form == "upper" or request.service == "identitystore" else "message": message}
        if form == "header":
            extra["x-amzn-errortype"] = f"{code}:http://internal/double/"
        else:
            answer["__type"] = full.get(form, code)
        return status, {"content-type": judge.JSON_TYPE, **extra}, json.dumps(answer).encode()

    def _key(self, request):
        p = request.params
        if "PrincipalId" in p and "TargetId" in p:
            return self.world.named((p["TargetId"], p["PermissionSetArn"], p["PrincipalType"], p["PrincipalId"]))
        names = ("AccountId", "PermissionSetArn", "ParentId", "ChildId", "GroupId", "UserId", "RoleArn",
                 "AccountAssignmentCreationRequestId", "AccountAssignmentDeletionRequestId")
        return " ".join(self.world.sets[p[n]]["name"] if p[n] in self.world.sets else p[n]
                        for n in names if n in p)


# ---- what tests ask ------------------------------------------------------------------------------------


def _lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def _add(w, p):
    """{unit: name, id, parent} {account: name, id, parent, state} {set: name, session} {user: name}
    {group: name, members} {records: [...], see trail.py} {key: id, secret, token, expires, arn}; what exists is replaced or joined."""
    if "unit" in p:
        w.add_unit(p["id"], p["parent"], p["unit"])
    elif "account" in p:
        w.add_account(p["id"], p["account"], p["parent"], p.get("state", "ACTIVE"))
    elif "set" in p:
        w.add_set(p["set"], p.get("session"))
        for account in p.get("provisioned", []):
            w.provisioned.setdefault(w.set_arn(p["set"]), set()).add(w.account_id(account))
    elif "user" in p:
        w.add_user(p["user"])
    elif "group" in p:
        w.add_group(p["group"], p.get("members", []))
    elif "records" in p:
        for record in p["records"]:
            w.trail.add(record)
    elif "key" in p:
        w.add_key(p["key"], p["secret"], p.get("token"), p.get("expires"), p["arn"])
    else:
        raise ValueError("add what?")


def _remove(w, p):
    if "account" in p:
        del w.accounts[w.account_id(p["account"])]
    elif "set" in p:
        del w.sets[w.set_arn(p["set"])]
    elif "user" in p:
        gone = w.principal(p["user"])
        del w.users[gone]
        for members in w.members.values():
            while gone in members:
                members.remove(gone)
    elif "group" in p:
        gone = w.principal(p["group"])
        del w.groups[gone], w.members[gone]
    elif "key" in p:
        del w.keys[p["key"]]
    else:
        raise ValueError("remove what?")


def _set(w, p):
    unknown = set(p) - set(w.settings)
    if unknown:
        raise ValueError(f"no such setting: {unknown}")
    w.settings.update(p)


def _world(d):
    w = d.world
    return json.dumps({"instance": world.INSTANCE, "store": world.STORE, "organization": world.ORGANIZATION,
                       "management": world.MANAGEMENT, "account": world.DELEGATED,
                       "key": world.KEY, "secret": world.SECRET,
                       "units": {u["name"]: u["id"] for u in w.units.values()},
                       "accounts": {a["name"]: a["id"] for a in w.accounts.values()},
                       "sets": {s["name"]: s["arn"] for s in w.sets.values()},
                       "users": {u["name"]: u["id"] for u in w.users.values()},
                       "groups": {g["name"]: g["id"] for g in w.groups.values()}}) + "\n"


def _assignments(d):
    d.world.settle()
    return "".join(sorted(d.world.named(a) + "\n" for a in d.world.assignments))


def _reset(d):
    d.world.reset()
    d.faults.clear()
    d.log.clear(), d.breaches.clear()


def _what(w, p):
    return w.what(p["account"], p["set"], p.get("kind", "USER"), p["principal"])


CONTROL = {
    "log": lambda d, p: _lines(d.log[int(p.get("since", 0)):]),
    "breaches": lambda d, p: _lines(d.breaches),
    "queries": lambda d, p: json.dumps({"running": d.world.trail.running, "most": d.world.trail.most}) + "\n",
    "ends": lambda d, p: d.world.trail.ends.update(p),
    "history": lambda d, p: (d.world.settle(), _lines(d.world.history))[1],
    "assignments": lambda d, p: _assignments(d),
    "world": lambda d, p: _world(d),
    "set": lambda d, p: _set(d.world, p),
    "faults": lambda d, p: d.faults.add(p),
    "calm": lambda d, p: (d.faults.clear(), d.world.failures.clear())[0],
    "fail": lambda d, p: d.world.failures.append({"times": 1, **p}),
    "assign": lambda d, p: d.world.put(_what(d.world, p)),
    "unassign": lambda d, p: d.world.take(_what(d.world, p)),
    "add": lambda d, p: _add(d.world, p),
    "remove": lambda d, p: _remove(d.world, p),
    "grow": lambda d, p: d.world.grow(**p),
    "reset": lambda d, p: _reset(d),
}


# ---- the wire ------------------------------------------------------------------------------------------


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format, *args):
        pass

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def _read(self):
        headers = {}
        for name, value in self.headers.items():
            name = name.lower()
            headers[name] = f"{headers[name]},{value}" if name in headers else value
        return headers, self.rfile.read(int(headers.get("content-length", 0)))

    def do_GET(self):
        self._any()

    def do_POST(self):
        self._any()

    do_PUT = do_GET

    def _any(self):
        headers, body = self._read()
        if self.path.startswith("/_double/"):
            self._control(body)
        else:
            self._aws(headers, body)

    def _control(self, body):
        url = urllib.parse.urlsplit(self.path)
        try:
            parameters = json.loads(body) if body else dict(urllib.parse.parse_qsl(url.query))
            with self.server.double.lock:
                text = CONTROL[url.path[len("/_double/"):]](self.server.double, parameters) or ""
            self._answer(200, {"content-type": "text/plain"}, text.encode())
        except Exception as e:  # the test made a mistake: it has to see it
            self._answer(400, {"content-type": "text/plain"}, f"{type(e).__name__}: {e}\n".encode())

    def _aws(self, headers, body):
        double = self.server.double
        request = judge.Request(self.command, self.path, headers, body)
        with double.lock:
            entry = {"n": len(double.log) + 1, "time": time.time(), "service": None, "operation": None, "key": "",
                     "status": None, "code": None, "fault": None}
            double.log.append(entry)
        try:
            status, extra, answer, fault = double.call(request, entry)
        except Exception:
            traceback.print_exc()
            double.breaches.append({"n": entry["n"], "why": "the double itself: " + traceback.format_exc()})
            status, extra, answer, fault = 500, {}, b"", {}
        entry["status"] = status
        if status != 200:
            entry["code"] = self._code(extra, answer)
        time.sleep(double.world.settings["latency_s"])
        if fault.get("do") == "slow":
            time.sleep(fault.get("seconds", 1))
        self._send(fault, status, extra, answer)

    @staticmethod
    def _code(extra, answer):
        if "x-amzn-errortype" in extra:
            return extra["x-amzn-errortype"].split(":")[0]
        try:
            return json.loads(answer)["__type"].rpartition("#")[2].split(":")[0]
        except ValueError:
            return answer.decode().partition("<Code>")[2].partition("</Code>")[0] or None

    def _send(self, fault, status, extra, body):
        do = fault.get("do")
        if do == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
        elif do == "truncate":
            self._head(status, extra, len(body))
            self.wfile.write(body[:len(body) // 2])
            self.close_connection = True
        elif do == "drip":
            self._head(status, extra, len(body))
            for i in range(len(body)):
                self.wfile.write(body[i:i + 1])
                self.wfile.flush()
                time.sleep(fault.get("seconds", 1) / len(body))
        else:
            self._answer(status, extra, body)

    def _head(self, status, extra, length):
        self.send_response_only(status)
        self.send_header("date", email.utils.formatdate(self.server.double.now(), usegmt=True))
        self.send_header("x-amzn-requestid", str(uuid.uuid4()))
        self.send_header("content-length", str(length))
        for name, value in extra.items():
            self.send_header(name, value)
        self.end_headers()

    def _answer(self, status, extra, body):
        self._head(status, extra, len(body))
        self.wfile.write(body)


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (OSError, ValueError)):  # its socket was closed under it
            traceback.print_exc()


def main():
    parser = argparse.ArgumentParser(description="A stand-in for AWS, judged by botocore.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--regions", default="eu-west-1", help="where Identity Center and STS are, by commas")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    arguments = parser.parse_args()
    server = Server(("127.0.0.1", arguments.port), Handler)
    server.double = Double(arguments.regions.split(","))
    if arguments.cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(arguments.cert, arguments.key)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    print(f"{'https' if arguments.cert else 'http'}://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
