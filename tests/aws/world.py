"""What the double's AWS consists of: an organisation, Identity Center with its people, and the
assignments, which come and go as AWS lets them: asynchronously, one role of an account at a time."""

import json
import re
import threading
import time
import uuid

INSTANCE = "arn:aws:sso:::instance/ssoins-1111222233334444"
STORE = "d-1234567890"
ORGANIZATION = "o-double12345"
ROOT = "r-ab12"
MANAGEMENT = "999988887777"
DELEGATED = "555566667777"
KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

# What POST /_double/set may change, and what it is at first.
SETTINGS = {
    "progress_s": 0.05,        # an assignment is IN_PROGRESS that long
    "progress_polls": 0,       # and until its status has been asked that often
    "propagation_s": 0.0,      # a change of the same pair is a conflict that long after the last
    "one_role_at_a_time": True,
    "outstanding": 10,         # creations at once; more are throttled; 0: any number
    "limits": False,           # throttle by the rates below
    "rates": {"sso-admin": 20, "identitystore": 20, "organizations": 10, "sts": 50, "logs": 5,
              "cloudtrail": 10},
    "clock_ahead_s": 0,        # of the double's clock
    "delegated": True,         # may not touch the management account nor what is provisioned there
    "paths": True,             # Organizations tells Paths (newer) or not
    "error_form": "plain",     # plain, namespace, colon, header, upper: where the code stands
    "page": 0,                 # pages have at most so many elements; 0: as many as were asked for
    "latency_s": 0.0,          # of every answer
    "lookup_rate": 2,          # with limits: LookupEvents of an account and region a second
    "queries": {"logs": 30, "cloudtrail": 10},  # that run at once
    "query_polls": 1,          # that a query goes on for
    "insights_rows": 10000,    # of a query at most
    "empty_pages": 0,          # FilterLogEvents: so many that are empty come before each page
    "no_roles": [],            # ARNs that nobody may assume
    "role_s": 3600,            # how long credentials of a role last at most
}


class Refusal(Exception):
    """A documented error of a service."""

    def __init__(self, code, message, status=400):
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


class Work:
    """An assignment being created or deleted."""

    def __init__(self, kind, what, settings, reason):
        self.id, self.kind, self.what, self.reason = str(uuid.uuid4()), kind, what, reason
        self.created = time.time()
        self.ends = time.monotonic() + settings["progress_s"]
        self.polls = settings["progress_polls"]
        self.status = "IN_PROGRESS"


class World:
    def __init__(self, new_trail):
        self.lock, self.new_trail = threading.RLock(), new_trail
        self.reset()

    def reset(self):
        with self.lock:
            self.settings = json.loads(json.dumps(SETTINGS))
            self.units, self.accounts = {}, {}
            self.sets, self.users, self.groups, self.members = {}, {}, {}, {}
            self.assignments, self.works, self.open, self.failures = {}, {}, {}, []
            self.provisioned, self.changed, self.history = {}, {}, []
            self.keys = {}
            self.trail = self.new_trail()
            self.add_key(KEY, SECRET, None, None, f"arn:aws:iam::{DELEGATED}:user/courier")
            self._small()

    def _small(self):
        """The world that tests find unless they ask for another."""
        self.add_unit(ROOT, "", "Root")
        self.add_unit("ou-ab12-11111111", ROOT, "Workloads")
        self.add_unit("ou-ab12-22222222", "ou-ab12-11111111", "Production")
        self.add_unit("ou-ab12-33333333", "ou-ab12-11111111", "Development")
        self.add_account(MANAGEMENT, "management", ROOT)
        self.add_account(DELEGATED, "identity", ROOT)
        self.add_account("111122223333", "prod-web", "ou-ab12-22222222")
        self.add_account("111122224444", "prod-db", "ou-ab12-22222222")
        self.add_account("222233334444", "dev", "ou-ab12-33333333")
        self.add_account("333344445555", "closed", "ou-ab12-11111111", "SUSPENDED")
        self.add_set("AdministratorAccess", "PT1H")
        self.add_set("ReadOnlyAccess", "PT8H")
        self.add_set("Billing", None)
        self.provisioned.setdefault(self.set_arn("Billing"), set()).add(MANAGEMENT)
        for name in ("alice", "bob", "carol", "dave"):
            self.add_user(f"{name}@example.com")
        self.add_group("SRE", ["alice@example.com", "dave@example.com"])
        self.add_group("Auditors", ["carol@example.com"])
        self.add_group("Empty", [])

    # ---- making things ---------------------------------------------------------------------------

    def add_key(self, akid, secret, token, expires, arn):
        self.keys[akid] = {"id": akid, "secret": secret, "token": token, "expires": expires, "arn": arn}

    def add_unit(self, unit, parent, name):
        path = (self.units[parent]["path"] if parent else f"{ORGANIZATION}/") + f"{unit}/"
        self.units[unit] = {"id": unit, "parent": parent, "name": name, "path": path}

    def add_account(self, account, name, parent, state="ACTIVE"):
        self.accounts[account] = {"id": account, "name": name, "parent": parent, "state": state}

    def add_set(self, name, session):
        number = len(self.sets) + 1
        arn = f"arn:aws:sso:::permissionSet/ssoins-1111222233334444/ps-{number:016x}"
        self.sets[arn] = {"arn": arn, "name": name, "session": session}

    def add_user(self, name):
        user = f"{len(self.users) + 1:010x}-{uuid.uuid5(uuid.NAMESPACE_URL, 'user:' + name)}"
        self.users[user] = {"id": user, "name": name}

    def add_group(self, name, members):
        group = f"{len(self.groups) + 1:010x}-{uuid.uuid5(uuid.NAMESPACE_URL, 'group:' + name)}"
        self.groups[group] = {"id": group, "name": name}
        by_name = {u["name"]: u["id"] for u in self.users.values()} if members else {}
        self.members[group] = [by_name[m] for m in members]

    def grow(self, accounts=2000, depth=5, sets=300, users=20000, groups=2000, per_group=20):
        """A large organisation, the same each time: OUs `depth` deep, four below each."""
        level, units = [ROOT], []
        for d in range(depth):
            width = 4 if d < 3 else 1
            below = []
            for parent in level:
                for _ in range(width):
                    unit = f"ou-ab12-{len(self.units):08d}"
                    self.add_unit(unit, parent, f"unit {len(self.units)}")
                    below.append(unit)
            level = below
            units += below
        for i in range(accounts - len(self.accounts)):
            self.add_account(f"{100000000000 + i}", f"account-{i:05d}", units[i % len(units)])
        for i in range(sets - len(self.sets)):
            self.add_set(f"Set{i:05d}", f"PT{1 + i % 12}H")
        for i in range(users - len(self.users)):
            self.add_user(f"user{i:06d}@example.com")
        ids = list(self.users)
        for i in range(groups - len(self.groups)):
            self.add_group(f"Group {i:05d}", [])
            group = list(self.groups)[-1]
            self.members[group] = [ids[(i * 7 + k * 13) % len(ids)] for k in range(min(per_group, len(ids)))]

    # ---- names, for people who write tests --------------------------------------------------------

    def set_arn(self, name):
        return name if name in self.sets else next(s["arn"] for s in self.sets.values() if s["name"] == name)

    def principal(self, name):
        if name in self.users or name in self.groups:
            return name
        for people in (self.users, self.groups):
            for p in people.values():
                if p["name"] == name:
                    return p["id"]
        return name  # somebody who is gone

    def account_id(self, name):
        return next((a["id"] for a in self.accounts.values() if a["name"] == name), name)

    def what(self, account, permission_set, kind, principal):
        return (self.account_id(account), self.set_arn(permission_set), kind, self.principal(principal))

    def named(self, what):
        """"prod-web AdministratorAccess USER alice@example.com" """
        account, arn, kind, principal = what
        people = self.users if kind == "USER" else self.groups
        return " ".join((self.accounts.get(account, {"name": account})["name"],
                         self.sets.get(arn, {"name": arn})["name"], kind,
                         people.get(principal, {"name": principal})["name"]))

    # ---- assignments -------------------------------------------------------------------------------

    def settle(self):
        """Ends the work whose time has come."""
        now = time.monotonic()
        for work in list(self.open.values()):
            if now >= work.ends and work.polls <= 0:
                del self.open[work.id]
                self._finish(work, now)

    def _finish(self, work, now):
        self.changed[work.what[:2]] = now
        if work.reason:
            work.status = "FAILED"
            return
        work.status = "SUCCEEDED"
        if work.kind == "create":
            self.put(work.what)
        else:
            self.take(work.what)

    def put(self, what):
        if what not in self.assignments:
            self.assignments[what] = time.time()
            self.provisioned.setdefault(what[1], set()).add(what[0])
            self._note("+", what)

    def take(self, what):
        if self.assignments.pop(what, None) is None:
            return
        self._note("-", what)
        if not any(a[:2] == what[:2] for a in self.assignments):
            self.provisioned.get(what[1], set()).discard(what[0])

    def _note(self, sign, what):
        self.history.append({"time": time.time(), "change": sign, "what": self.named(what)})

    def change(self, kind, what):
        """CreateAccountAssignment and DeleteAccountAssignment."""
        self.settle()
        self._may(what)
        if kind == "delete" and what not in self.assignments:
            raise Refusal("ResourceNotFoundException", "Assignment not found")
        self._conflicts(what)
        busy = sum(w.kind == "create" for w in self.open.values())
        if kind == "create" and 0 < self.settings["outstanding"] <= busy:
            raise Refusal("ThrottlingException", "too many assignments are being created")
        work = Work(kind, what, self.settings, self._fails(kind, what))
        self.works[work.id] = self.open[work.id] = work
        if kind == "create" and what in self.assignments:
            work.ends, work.polls = 0, 0  # nothing to do
        self.settle()
        return work

    def _may(self, what):
        account, arn = what[:2]
        if arn not in self.sets:
            raise Refusal("ResourceNotFoundException", f"PermissionSet {arn} not found")
        if not self.settings["delegated"]:
            return
        if account == MANAGEMENT or MANAGEMENT in self.provisioned.get(arn, ()):
            raise Refusal("AccessDeniedException", "not authorized on the management account and what "
                          "is provisioned there")

    def _conflicts(self, what):
        since = time.monotonic() - self.changed.get(what[:2], -1e9)
        working = any(w.what[:2] == what[:2] for w in self.open.values())
        if (working and self.settings["one_role_at_a_time"]) or since < self.settings["propagation_s"]:
            raise Refusal("ConflictException", "a previous write did not have time to propagate")

    def _fails(self, kind, what):
        for failure in self.failures:
            if failure["times"] != 0 and failure.get("kind", kind) == kind and \
                    re.search(failure.get("match", ""), self.named(what)):
                failure["times"] -= 1
                return failure["reason"]
        account, _, who, principal = what
        people = self.users if who == "USER" else self.groups
        if kind == "create" and principal not in people:
            return (f"Received a 404 status error: the {who} assignee {principal} was not found in "
                    f"directory {STORE}")
        if account not in self.accounts:
            return f"Received a 404 status error: account {account} was not found"
        return None

    def work(self, kind, work_id):
        self.settle()
        work = self.works.get(work_id)
        if work is None or work.kind != kind:
            raise Refusal("ResourceNotFoundException", "no such request")
        if work.status == "IN_PROGRESS":
            work.polls -= 1
            self.settle()
        return work
