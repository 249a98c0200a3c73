"""CloudTrail and CloudWatch Logs: records of what was done, and the three languages in which they are
asked for. The languages are carried out, not looked at: SQL by SQLite, regular expressions by Python, filter
patterns and Insights by the small readers below, so that a question which says too little finds too
little."""

import datetime
import fnmatch
import json
import re
import sqlite3
import time
import uuid

from services import operation, page
from world import Refusal

LOG_GROUP, EVENT_STORE = "organization-trail", "12345678-90ab-cdef-1234-567890abcdef"


def iso(at):
    return datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


# ---- records -----------------------------------------------------------------------------------------

class Trail:
    """All that was delivered, and the queries that run."""

    def __init__(self):
        self.records, self.queries = [], {}
        self.ends = {"logs": [], "cloudtrail": []}
        self.running, self.most = {"logs": 0, "cloudtrail": 0}, {"logs": 0, "cloudtrail": 0}

    def add(self, p):
        """{user, set, account, name, at, delivered, region, source, error, read_only, id, more: {...}}; `times`
        of them, a step of seconds apart."""
        p = {"name": "DescribeInstances", "source": "ec2.amazonaws.com", "region": "eu-west-1", "times": 1, "step": 0,
             "at": time.time() - 30, **p}
        for i in range(p["times"]):
            self._add({**p, "at": int(p["at"] + i * p["step"])})

    def _add(self, p):
        role = p.get("role", f"AWSReservedSSO_{p['set']}_0123456789abcdef")
        issuer = {"type": "Role", "principalId": "AROAEXAMPLE", "userName": role, "accountId": p["account"],
                  "arn": f"arn:aws:iam::{p['account']}:role/aws-reserved/sso.amazonaws.com/eu-west-1/{role}"}
        record = {
            "eventVersion": "1.09",
            "userIdentity": {"type": "AssumedRole", "principalId": f"AROAEXAMPLE:{p['user']}",
                             "arn": f"arn:aws:sts::{p['account']}:assumed-role/{role}/{p['user']}",
                             "accountId": p["account"], "accessKeyId": "ASIAEXAMPLE",
                             "sessionContext": {"sessionIssuer": issuer,
                                                "attributes": {"creationDate": iso(p["at"])}}},
            "eventTime": iso(p["at"]), "eventSource": p["source"], "eventName": p["name"],
            "awsRegion": p["region"], "sourceIPAddress": "192.0.2.1", "userAgent": "aws-cli",
            "requestParameters": p.get("parameters", {"instanceId": "i-1"}), "responseElements": None,
            "eventID": p.get("id", str(uuid.uuid4())), "eventType": "AwsApiCall", "managementEvent": True,
            "recipientAccountId": p["account"], **p.get("more", {})}
        if "error" in p:
            record["errorCode"] = p["error"]
        if "read_only" in p:  # older records have none
            record["readOnly"] = p["read_only"]
        text = json.dumps(record).replace("=", p.get("equals", "="))
        self.records.append({"record": record, "text": text, "at": p["at"], "account": p["account"], "region": p["region"],
                             "user": p["user"], "delivered": int(1000 * p.get("delivered", p["at"] + 1))})

    # ---- queries ---------------------------------------------------------------------------------------

    def start(self, world, service, rows):
        if self.running[service] >= world.settings["queries"][service]:
            raise Refusal("LimitExceededException" if service == "logs" else "MaxConcurrentQueriesException",
                          "too many queries run")
        number = str(uuid.uuid4())
        self.running[service] += 1
        self.most[service] = max(self.most[service], self.running[service])
        self.queries[number] = {"rows": rows, "polls": world.settings["query_polls"], "service": service,
                                "end": self.ends[service].pop(0) if self.ends[service] else None, "over": False}
        return number

    def query(self, number, service):
        if number not in self.queries or self.queries[number]["service"] != service:
            raise Refusal("ResourceNotFoundException" if service == "logs" else "QueryIdNotFoundException", "no such query")
        return self.queries[number]

    def status(self, number, service, words):
        """words: queued, running, finished."""
        q = self.query(number, service)
        q["polls"] -= 1
        if not q["over"] and q["polls"] < 0:
            self.stop(q)
        return words[0] if q["polls"] > 1 else words[1] if q["polls"] >= 0 else q["end"] or words[2]

    def stop(self, q):
        self.running[q["service"]] -= not q["over"]
        q["over"] = True


def account_of(world, request):
    return world.keys[request.key]["arn"].split(":")[4]


def region_of(request):
    return re.search(r"Credential=[^/]+/\d+/([^/]+)/", request.header("authorization"))[1]


# ---- LookupEvents ------------------------------------------------------------------------------------

@operation("cloudtrail")
def LookupEvents(world, request):
    p, account, region = request.params, account_of(world, request), region_of(request)
    wanted = {a["AttributeKey"]: a["AttributeValue"] for a in p.get("LookupAttributes", [])}
    if len(wanted) > 1 or set(wanted) - {"Username"}:
        raise Refusal("InvalidLookupAttributesException", f"the double knows no {wanted}")
    rows = [r for r in reversed(world.trail.records)
            if r["account"] == account and r["region"] == region and r["delivered"] <= 1000 * time.time()
            and wanted.get("Username", r["user"]) == r["user"]
            and p.get("StartTime", 0) <= r["at"] <= p.get("EndTime", 1e12)]
    rows.sort(key=lambda r: -r["at"])
    answer = page(world, request, rows, "Events", 50)
    answer["Events"] = [{"EventId": r["record"]["eventID"], "EventName": r["record"]["eventName"],
                         "EventTime": r["at"], "EventSource": r["record"]["eventSource"], "Username": r["user"],
                         "Resources": [], "CloudTrailEvent": r["text"],
                         **({"ReadOnly": str(r["record"]["readOnly"]).lower()} if "readOnly" in r["record"] else {})}
                        for r in answer["Events"]]
    return answer


# ---- Lake --------------------------------------------------------------------------------------------

COLUMNS = ("eventID", "eventTime", "eventName", "eventSource", "awsRegion", "sourceIPAddress", "errorCode", "readOnly",
           "recipientAccountId", "requestParameters", "userIdentity.type", "userIdentity.principalId",
           "userIdentity.sessionContext.sessionIssuer.userName", "userIdentity.onBehalfOf.userId")


def found(record, path):
    for name in path.split("."):
        record = record.get(name) if isinstance(record, dict) else None
    return record


def discovered(record, most=200):
    """What Insights knows of a record in JSON: its first fields, called by their paths."""
    fields, left = {}, [("", record)]
    while left and len(fields) < most:
        path, value = left.pop(0)
        members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
        if members is None:
            fields[path] = value
        else:
            left[:0] = [(f"{path}.{name}" if path else name, below) for name, below in members]
    return fields


def lake_text(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}={lake_text(v)}" for k, v in value.items()) + "}"
    return value if value is None else str(value)


def lake_row(r):
    values = [lake_text(found(r["record"], c)) for c in COLUMNS]
    values[1] = values[1].replace("T", " ").replace("Z", "")
    return values


def lake_rows(trail, sql):
    """What SQLite makes of it. Names with dots are columns, the store's id is the table."""
    parts = re.split(r"('(?:[^']|'')*')", sql)
    parts[::2] = [re.sub(r"\buserIdentity(\.\w+)+", lambda m: f'"{m[0]}"', s) for s in parts[::2]]
    if EVENT_STORE not in "".join(parts[::2]):
        raise Refusal("EventDataStoreNotFoundException", "no such event data store")
    parts[::2] = [s.replace(EVENT_STORE, "events") for s in parts[::2]]
    db = sqlite3.connect(":memory:")
    db.execute("PRAGMA case_sensitive_like = ON")
    db.execute("CREATE TABLE events (" + ", ".join(f'"{c}" TEXT' for c in COLUMNS) + ")")
    db.executemany(f"INSERT INTO events VALUES ({', '.join('?' * len(COLUMNS))})",
                   [lake_row(r) for r in trail.records if r["delivered"] <= 1000 * time.time()])
    try:
        cursor = db.execute("".join(parts))
    except sqlite3.Error as e:
        raise Refusal("InvalidQueryStatementException", str(e)) from e
    names = [d[0] for d in cursor.description]
    return [[{n: v + ".000" if n == "at" else v} for n, v in zip(names, row) if v is not None] for row in cursor]


def start_lake(world, request):
    return {"QueryId": world.trail.start(world, "cloudtrail", lake_rows(world.trail, request.params["QueryStatement"]))}


@operation("cloudtrail")
def DescribeQuery(world, request):
    status = world.trail.status(request.params["QueryId"], "cloudtrail", ("QUEUED", "RUNNING", "FINISHED"))
    return {"QueryId": request.params["QueryId"], "QueryStatus": status}


def lake_results(world, request):
    q = world.trail.query(request.params["QueryId"], "cloudtrail")
    p = request.params
    at = int(p.get("NextToken", "0"))
    size = min(p.get("MaxQueryResults", 1000), world.settings["page"] or 1000)
    answer = {"QueryStatus": "FINISHED", "QueryResultRows": q["rows"][at:at + size]}
    if at + size < len(q["rows"]):
        answer["NextToken"] = f"{at + size:04d}"
    return answer


@operation("cloudtrail")
def CancelQuery(world, request):
    q = world.trail.query(request.params["QueryId"], "cloudtrail")
    if q["over"]:
        raise Refusal("InactiveQueryException", "it is over")
    world.trail.stop(q)
    return {"QueryId": request.params["QueryId"], "QueryStatus": "CANCELLED"}


# ---- filter patterns and Insights ----------------------------------------------------------------------

TOKEN = re.compile(r'\s*(\(|\)|&&|\|\||=|like\b|and\b|or\b|"[^"]*"|/(?:[^/\\]|\\.)*/|[$@\w.]+)')


def tokens(text):
    at, text = 0, text.rstrip()
    while at < len(text):
        m = TOKEN.match(text, at)
        if not m:
            raise Refusal("InvalidParameterException", f"what is this: {text[at:]!r}")
        at = m.end()
        yield m[1]


class Condition:
    """(A and B) or C, in the words of either language; A is PATH = "TEXT" or PATH like /REGEX/."""

    def __init__(self, text, wild):
        self.rest, self.wild = list(tokens(text)), wild
        self.test = self._any()
        if self.rest:
            raise Refusal("InvalidParameterException", f"left over: {self.rest}")

    def _take(self, *wanted):
        if self.rest and (not wanted or self.rest[0] in wanted):
            return self.rest.pop(0)
        return None

    def _any(self):
        tests = [self._all()]
        while self._take("||", "or"):
            tests.append(self._all())
        return lambda row: any(t(row) for t in tests)

    def _all(self):
        tests = [self._one()]
        while self._take("&&", "and"):
            tests.append(self._one())
        return lambda row: all(t(row) for t in tests)

    def _value(self, row, path):
        if path == "@message":
            return row["text"]
        return found(row["record"], path) if self.wild else discovered(row["record"]).get(path)

    def _one(self):
        if self._take("("):
            inner = self._any()
            if not self._take(")"):
                raise Refusal("InvalidParameterException", "a parenthesis is not closed")
            return inner
        path, how, what = self._take() or "", self._take("=", "like"), self._take() or ""
        path = path.removeprefix("$.")
        if how == "like" and what[:1] == "/":
            pattern = re.compile(what[1:-1])
            return lambda row: pattern.search(self._value(row, path) or "") is not None
        if how == "=" and what[:1] == '"':
            if self.wild:
                glob = re.compile(fnmatch.translate(re.sub(r"([\[\]?])", r"[\1]", what[1:-1])))
                return lambda row: glob.match(self._value(row, path) or "") is not None
            return lambda row: self._value(row, path) == what[1:-1]
        raise Refusal("InvalidParameterException", f"what is this: {path} {how} {what}")


def group_of(p):
    group = p.get("logGroupName") or p.get("logGroupIdentifier") or (p.get("logGroupIdentifiers") or [""])[0]
    if group.rpartition(":")[2] != LOG_GROUP:
        raise Refusal("ResourceNotFoundException", "The specified log group does not exist.")


def lines(world, first, last, test):
    last = min(last, 1000 * time.time())
    rows = [r for r in world.trail.records if first <= r["delivered"] <= last and test(r)]
    return sorted(rows, key=lambda r: r["delivered"])


@operation("logs")
def FilterLogEvents(world, request):
    p = request.params
    group_of(p)
    pattern = p.get("filterPattern", "").strip()
    if pattern[:1] != "{" or pattern[-1:] != "}":
        raise Refusal("InvalidParameterException", "the double knows patterns of JSON only")
    rows = lines(world, p.get("startTime", 0), p.get("endTime", 1 << 60), Condition(pattern[1:-1], True).test)
    empty, _, at = p.get("nextToken", f"{world.settings['empty_pages']}/0").partition("/")
    at, size = int(at), min(p.get("limit", 10000), world.settings["page"] or 10000)
    if int(empty) > 0:
        return {"events": [], "nextToken": f"{int(empty) - 1}/{at}"}
    answer = {"events": [{"logStreamName": "s", "timestamp": r["delivered"], "message": r["text"],
                          "ingestionTime": r["delivered"], "eventId": str(i)} for i, r in enumerate(rows[at:at + size])]}
    if at + size < len(rows):
        answer["nextToken"] = f"{world.settings['empty_pages']}/{at + size}"
    return answer


def start_insights(world, request):
    p = request.params
    group_of(p)
    said = dict(s.strip().partition(" ")[::2] for s in re.split(r"\s\|\s", p["queryString"]))
    if said.get("fields") != "@message" or said.get("sort") != "@timestamp asc":
        raise Refusal("MalformedQueryException", f"the double knows no {said}")
    rows = lines(world, 1000 * p["startTime"], 1000 * p["endTime"] + 999, Condition(said["filter"], False).test)
    rows = rows[:min(int(said["limit"]), p.get("limit", 1000), world.settings["insights_rows"])]
    return {"queryId": world.trail.start(world, "logs", [
        [{"field": "@message", "value": r["text"]}, {"field": "@ptr", "value": "x"}] for r in rows])}


def insights_results(world, request):
    status = world.trail.status(request.params["queryId"], "logs", ("Scheduled", "Running", "Complete"))
    rows = world.trail.query(request.params["queryId"], "logs")["rows"] if status == "Complete" else []
    return {"results": rows, "status": status}


@operation("logs")
def StopQuery(world, request):
    world.trail.stop(world.trail.query(request.params["queryId"], "logs"))
    return {"success": True}


@operation("cloudtrail")
def StartQuery(world, request):
    return start_lake(world, request)


@operation("cloudtrail")
def GetQueryResults(world, request):
    return lake_results(world, request)


@operation("logs")
def StartQuery(world, request):  # noqa: F811 - the same name in another service
    return start_insights(world, request)


@operation("logs")
def GetQueryResults(world, request):  # noqa: F811
    return insights_results(world, request)
