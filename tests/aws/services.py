"""The operations, by service: a function each, from validated parameters to what the model answers."""

import base64
import hashlib
import json
import time
import uuid

from world import DELEGATED, INSTANCE, MANAGEMENT, ORGANIZATION, ROOT, STORE, Refusal

OPERATIONS = {}
JOINED = 1620918581.641


def operation(service):
    def take(function):
        OPERATIONS[service, function.__name__] = function
        return function
    return take


# ---- pages ---------------------------------------------------------------------------------------

BAD_TOKEN = {"sso-admin": "ValidationException", "identitystore": "ValidationException",
             "organizations": "InvalidInputException", "cloudtrail": "InvalidNextTokenException"}


def token_at(request, offset, nonce=""):
    """Good for the same question only, as AWS's are."""
    rest = {k: v for k, v in request.params.items() if k not in ("NextToken", "MaxResults")}
    text = json.dumps([request.operation.name, rest, offset], sort_keys=True)
    seal = hashlib.sha256(text.encode()).hexdigest()[:16]
    return base64.b64encode(f"{offset} {seal} {nonce}".encode()).decode()


def offset_of(request):
    """Where the page begins that is asked for."""
    token = request.params.get("NextToken")
    if not token:
        return 0
    try:
        offset, _, nonce = base64.b64decode(token, validate=True).decode().split(" ")
        if token_at(request, int(offset), nonce) == token:
            return int(offset)
    except ValueError:
        pass
    raise Refusal(BAD_TOKEN[request.service], "the token is none of this question's")


def page(world, request, rows, member, most, **others):
    offset = offset_of(request)
    size = request.params.get("MaxResults", most)
    if world.settings["page"]:
        size = min(size, world.settings["page"])
    answer = {member: rows[offset:offset + size], **others}
    if offset + size < len(rows):
        answer["NextToken"] = token_at(request, offset + size)
    return answer


# ---- sso-admin -----------------------------------------------------------------------------------

def _instance(params):
    if params["InstanceArn"] != INSTANCE:
        raise Refusal("ResourceNotFoundException", "no such instance")


def _set(world, params):
    _instance(params)
    if params["PermissionSetArn"] not in world.sets:
        raise Refusal("ResourceNotFoundException", "no such permission set")
    return world.sets[params["PermissionSetArn"]]


def _what(params):
    return (params["TargetId"], params["PermissionSetArn"], params["PrincipalType"], params["PrincipalId"])


def _status(work):
    account, arn, kind, principal = work.what
    answer = {"Status": work.status, "RequestId": work.id, "TargetId": account,
              "TargetType": "AWS_ACCOUNT", "PermissionSetArn": arn, "PrincipalType": kind,
              "PrincipalId": principal, "CreatedDate": work.created}
    if work.status == "FAILED":
        answer["FailureReason"] = work.reason
    return answer


@operation("sso-admin")
def ListInstances(world, request):
    return page(world, request, [{
        "InstanceArn": INSTANCE, "IdentityStoreId": STORE, "OwnerAccountId": MANAGEMENT, "Name": "main",
        "CreatedDate": JOINED, "Status": "ACTIVE", "PrimaryRegion": "eu-west-1"}], "Instances", 100)


@operation("sso-admin")
def DescribeInstance(world, request):
    _instance(request.params)
    return {"InstanceArn": INSTANCE, "IdentityStoreId": STORE, "OwnerAccountId": MANAGEMENT,
            "Name": "main", "CreatedDate": JOINED, "Status": "ACTIVE"}


@operation("sso-admin")
def CreateAccountAssignment(world, request):
    _instance(request.params)
    return {"AccountAssignmentCreationStatus": _status(world.change("create", _what(request.params)))}


@operation("sso-admin")
def DeleteAccountAssignment(world, request):
    _instance(request.params)
    return {"AccountAssignmentDeletionStatus": _status(world.change("delete", _what(request.params)))}


@operation("sso-admin")
def DescribeAccountAssignmentCreationStatus(world, request):
    work = world.work("create", request.params["AccountAssignmentCreationRequestId"])
    return {"AccountAssignmentCreationStatus": _status(work)}


@operation("sso-admin")
def DescribeAccountAssignmentDeletionStatus(world, request):
    work = world.work("delete", request.params["AccountAssignmentDeletionRequestId"])
    return {"AccountAssignmentDeletionStatus": _status(work)}


def _works(world, request, kind, member):
    _instance(request.params)
    world.settle()
    wanted = request.params.get("Filter", {}).get("Status")
    rows = [{"Status": w.status, "RequestId": w.id, "CreatedDate": w.created}
            for w in world.works.values() if w.kind == kind and wanted in (None, w.status)]
    return page(world, request, rows, member, 100)


@operation("sso-admin")
def ListAccountAssignmentCreationStatus(world, request):
    return _works(world, request, "create", "AccountAssignmentsCreationStatus")


@operation("sso-admin")
def ListAccountAssignmentDeletionStatus(world, request):
    return _works(world, request, "delete", "AccountAssignmentsDeletionStatus")


def _rows(world, wanted):
    world.settle()
    return [{"AccountId": a, "PermissionSetArn": s, "PrincipalType": k, "PrincipalId": p}
            for a, s, k, p in sorted(world.assignments) if wanted(a, s, k, p)]


@operation("sso-admin")
def ListAccountAssignments(world, request):
    _set(world, request.params)
    pair = (request.params["AccountId"], request.params["PermissionSetArn"])
    rows = _rows(world, lambda a, s, k, p: (a, s) == pair)
    return page(world, request, rows, "AccountAssignments", 100)


@operation("sso-admin")
def ListAccountAssignmentsForPrincipal(world, request):
    _instance(request.params)
    who = (request.params["PrincipalType"], request.params["PrincipalId"])
    account = request.params.get("Filter", {}).get("AccountId")
    rows = _rows(world, lambda a, s, k, p: (k, p) == who and account in (None, a))
    return page(world, request, rows, "AccountAssignments", 100)


@operation("sso-admin")
def ListPermissionSets(world, request):
    _instance(request.params)
    return page(world, request, list(world.sets), "PermissionSets", 100)


@operation("sso-admin")
def DescribePermissionSet(world, request):
    found = _set(world, request.params)
    answer = {"Name": found["name"], "PermissionSetArn": found["arn"], "CreatedDate": JOINED}
    if found["session"]:
        answer["SessionDuration"] = found["session"]
    return {"PermissionSet": answer}


@operation("sso-admin")
def ListPermissionSetsProvisionedToAccount(world, request):
    _instance(request.params)
    account = request.params["AccountId"]
    rows = [arn for arn in world.sets if account in world.provisioned.get(arn, ())]
    return page(world, request, rows, "PermissionSets", 100)


@operation("sso-admin")
def ListAccountsForProvisionedPermissionSet(world, request):
    found = _set(world, request.params)
    rows = sorted(world.provisioned.get(found["arn"], ()))
    return page(world, request, rows, "AccountIds", 100)


# ---- identitystore ---------------------------------------------------------------------------------

def _store(params):
    if params["IdentityStoreId"] != STORE:
        raise Refusal("ResourceNotFoundException", "no such identity store")


def _user(user):
    return {"IdentityStoreId": STORE, "UserId": user["id"], "UserName": user["name"],
            "DisplayName": user["name"].split("@")[0].title(),
            "Emails": [{"Value": user["name"], "Type": "work", "Primary": True}]}


def _group(group):
    return {"GroupId": group["id"], "DisplayName": group["name"], "IdentityStoreId": STORE}


def _by_attribute(params, people, path):
    alternate = params["AlternateIdentifier"].get("UniqueAttribute")
    if not alternate or alternate["AttributePath"].lower() != path.lower():
        raise Refusal("ValidationException", f"AttributePath is not {path}")
    for p in people.values():
        if p["name"].lower() == str(alternate["AttributeValue"]).lower():
            return p
    raise Refusal("ResourceNotFoundException", "nobody is called so")


@operation("identitystore")
def GetUserId(world, request):
    _store(request.params)
    return {"IdentityStoreId": STORE,
            "UserId": _by_attribute(request.params, world.users, "userName")["id"]}


@operation("identitystore")
def GetGroupId(world, request):
    _store(request.params)
    return {"IdentityStoreId": STORE,
            "GroupId": _by_attribute(request.params, world.groups, "displayName")["id"]}


@operation("identitystore")
def DescribeUser(world, request):
    _store(request.params)
    if request.params["UserId"] not in world.users:
        raise Refusal("ResourceNotFoundException", "USER not found")
    return _user(world.users[request.params["UserId"]])


@operation("identitystore")
def DescribeGroup(world, request):
    _store(request.params)
    if request.params["GroupId"] not in world.groups:
        raise Refusal("ResourceNotFoundException", "GROUP not found")
    return _group(world.groups[request.params["GroupId"]])


def _people(world, request, people, form, member):
    """Only what is on the page is formed: there may be tens of thousands."""
    _store(request.params)
    answer = page(world, request, list(people.values()), member, 100)
    answer[member] = [form(p) for p in answer[member]]
    return answer


@operation("identitystore")
def ListUsers(world, request):
    return _people(world, request, world.users, _user, "Users")


@operation("identitystore")
def ListGroups(world, request):
    return _people(world, request, world.groups, _group, "Groups")


def _membership(group, user):
    number = uuid.uuid5(uuid.NAMESPACE_URL, group + user)
    return {"IdentityStoreId": STORE, "MembershipId": str(number), "GroupId": group,
            "MemberId": {"UserId": user}}


@operation("identitystore")
def ListGroupMemberships(world, request):
    _store(request.params)
    group = request.params["GroupId"]
    if group not in world.groups:
        raise Refusal("ResourceNotFoundException", "GROUP not found")
    rows = [_membership(group, user) for user in world.members[group]]
    return page(world, request, rows, "GroupMemberships", 100)


@operation("identitystore")
def ListGroupMembershipsForMember(world, request):
    _store(request.params)
    user = request.params["MemberId"]["UserId"]
    rows = [_membership(g, user) for g, members in world.members.items() if user in members]
    return page(world, request, rows, "GroupMemberships", 100)


@operation("identitystore")
def IsMemberInGroups(world, request):
    _store(request.params)
    user = request.params["MemberId"]["UserId"]
    return {"Results": [{"GroupId": g, "MemberId": {"UserId": user},
                         "MembershipExists": user in world.members.get(g, ())}
                        for g in request.params["GroupIds"]]}


# ---- organizations -----------------------------------------------------------------------------------

def _arn(kind, *ids):
    return f"arn:aws:organizations::{MANAGEMENT}:{kind}/{ORGANIZATION}/" + "/".join(ids)


def _account(world, account):
    suspended = account["state"] != "ACTIVE"
    answer = {"Id": account["id"], "Arn": _arn("account", account["id"]), "Name": account["name"],
              "Email": f"aws+{account['id']}@example.com",
              "Status": "SUSPENDED" if suspended else "ACTIVE", "State": account["state"],
              "JoinedMethod": "CREATED", "JoinedTimestamp": JOINED}
    if world.settings["paths"]:
        answer["Paths"] = [world.units[account["parent"]]["path"] + account["id"] + "/"]
    return answer


def _unit(unit):
    return {"Id": unit["id"], "Arn": _arn("ou", unit["id"]), "Name": unit["name"], "Path": unit["path"]}


def _parent(world, params):
    if params["ParentId"] not in world.units:
        raise Refusal("ParentNotFoundException", "You specified a parent that doesn't exist.")
    return params["ParentId"]


def _accounts(world, request, accounts):
    answer = page(world, request, accounts, "Accounts", 20)
    answer["Accounts"] = [_account(world, a) for a in answer["Accounts"]]
    return answer


@operation("organizations")
def DescribeOrganization(world, request):
    return {"Organization": {"Id": ORGANIZATION, "Arn": _arn("organization").rstrip("/"),
                             "FeatureSet": "ALL", "MasterAccountId": MANAGEMENT,
                             "MasterAccountArn": _arn("account", MANAGEMENT),
                             "MasterAccountEmail": "aws@example.com"}}


@operation("organizations")
def DescribeAccount(world, request):
    account = world.accounts.get(request.params["AccountId"])
    if account is None:
        raise Refusal("AccountNotFoundException", "no such account")
    return {"Account": _account(world, account)}


@operation("organizations")
def ListAccounts(world, request):
    return _accounts(world, request, list(world.accounts.values()))


@operation("organizations")
def ListAccountsForParent(world, request):
    parent = _parent(world, request.params)
    return _accounts(world, request, [a for a in world.accounts.values() if a["parent"] == parent])


@operation("organizations")
def ListRoots(world, request):
    return page(world, request, [{"Id": ROOT, "Arn": _arn("root", ROOT), "Name": "Root"}], "Roots", 20)


@operation("organizations")
def ListOrganizationalUnitsForParent(world, request):
    parent = _parent(world, request.params)
    rows = [_unit(u) for u in world.units.values() if u["parent"] == parent]
    return page(world, request, rows, "OrganizationalUnits", 20)


@operation("organizations")
def ListParents(world, request):
    child = request.params["ChildId"]
    found = world.accounts.get(child) or world.units.get(child)
    if not found or not found["parent"]:
        raise Refusal("ChildNotFoundException", "no such child")
    parent = found["parent"]
    kind = "ROOT" if parent == ROOT else "ORGANIZATIONAL_UNIT"
    return page(world, request, [{"Id": parent, "Type": kind}], "Parents", 20)


@operation("organizations")
def ListChildren(world, request):
    parent, kind = _parent(world, request.params), request.params["ChildType"]
    people = world.accounts if kind == "ACCOUNT" else world.units
    rows = [{"Id": c["id"], "Type": kind} for c in people.values() if c["parent"] == parent]
    return page(world, request, rows, "Children", 20)


# ---- sts ---------------------------------------------------------------------------------------------

@operation("sts")
def GetCallerIdentity(world, request):
    arn = world.keys[request.key]["arn"]
    return {"UserId": "AIDA" + request.key[4:], "Account": DELEGATED, "Arn": arn}


def _assume(world, params):
    akid = "ASIA" + uuid.uuid4().hex[:16].upper()
    secret, token = uuid.uuid4().hex, base64.b64encode(uuid.uuid4().bytes * 6).decode()
    expires = int(time.time() + world.settings["clock_ahead_s"] +
                  min(params.get("DurationSeconds", 3600), world.settings["role_s"]))
    account, role = params["RoleArn"].split(":")[4], params["RoleArn"].rpartition("/")[2]
    arn = f"arn:aws:sts::{account}:assumed-role/{role}/{params['RoleSessionName']}"
    if params["RoleArn"] in world.settings["no_roles"]:
        raise Refusal("AccessDenied", f"is not authorized to perform: sts:AssumeRole on {params['RoleArn']}", 403)
    world.add_key(akid, secret, token, expires, arn)
    return {"Credentials": {"AccessKeyId": akid, "SecretAccessKey": secret, "SessionToken": token,
                            "Expiration": expires},
            "AssumedRoleUser": {"AssumedRoleId": f"AROAEXAMPLE:{params['RoleSessionName']}", "Arn": arn}}


@operation("sts")
def AssumeRole(world, request):
    return _assume(world, request.params)


@operation("sts")
def AssumeRoleWithWebIdentity(world, request):
    return _assume(world, request.params)
