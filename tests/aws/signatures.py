"""botocore judges the pure parts of the client: signatures of random requests, and the endpoints of all
services in all regions that it knows. Usage: signatures.py PURE [SEED]; prints TAP."""

import datetime
import json
import random
import subprocess
import sys
import urllib.parse

import botocore
import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.endpoint_provider
import botocore.session

SERVICES = ("sso-admin", "identitystore", "organizations", "sts", "cloudtrail", "logs")
pure, seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
chance = random.Random(seed)
tests = 0


def ok(yes, what, detail=""):
    global tests
    tests += 1
    print(f"{'ok' if yes else 'not ok'} {tests} - {what}")
    if not yes:
        print("\n".join("#   " + line for line in str(detail).splitlines()))


def ask(mode, rows):
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    answer = subprocess.run([pure, mode], input=lines, capture_output=True, text=True, check=True)
    return answer.stdout.splitlines()


# ---- signatures -------------------------------------------------------------------------------------

TOKEN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
ODD = "-._~ !$&'()*+,;=:@%/?#[]äé€😀\t"


def text(letters, least, most):
    return "".join(chance.choice(letters) for _ in range(chance.randint(least, most)))


def query():
    return "&".join(
        urllib.parse.quote(text(TOKEN + ODD, 1, 8), safe="") + "="
        + urllib.parse.quote(text(TOKEN + ODD, 0, 8), safe="")
        for _ in range(chance.randint(0, 4)))


def value():
    return text(TOKEN + " ,;=/", 1, 20).strip() or "x"


def request():
    """A request as it is sent: a path is encoded once, and then signed with what that makes of it."""
    names = ["Host", "X-Amz-Date", "Content-Type"] + ["X-Amz-" + text(TOKEN, 1, 6) for _ in range(chance.randint(0, 5))]
    names = list({name.lower(): name for name in names}.values())
    chance.shuffle(names)
    when = chance.randint(0, 4102444800)
    stamp = datetime.datetime.fromtimestamp(when, datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    host = chance.choice(["sso.eu-west-1.amazonaws.com", "127.0.0.1:4566", "a.b"])
    fixed = {"Host": host, "X-Amz-Date": stamp}
    # Without dots: botocore and RFC 3986 differ in a path that ends with one, and the vectors have the rest.
    path = "/" + "/".join(text(TOKEN + "-_~", 0, 6) for _ in range(chance.randint(0, 4)))
    return {"method": chance.choice(["POST", "GET", "PUT"]), "path": path, "query": query(),
            "headers": [[name, fixed.get(name) or value()] for name in names],
            "body": text(TOKEN + ODD + "\n\"{}", 0, 200), "time": when,
            "region": chance.choice(["eu-west-1", "us-gov-west-1", "cn-north-1"]),
            "service": chance.choice(["sso", "sts", "logs"]), "id": text(TOKEN, 16, 20),
            "secret": text(TOKEN + "/+=", 1, 200)}


def by_botocore(r):
    url = "https://" + dict(r["headers"])["Host"] + r["path"] + ("?" + r["query"] if r["query"] else "")
    req = botocore.awsrequest.AWSRequest(method=r["method"], url=url, data=r["body"].encode(), headers=dict(r["headers"]))
    signer = botocore.auth.SigV4Auth(botocore.credentials.Credentials(r["id"], r["secret"]), r["service"], r["region"])
    req.context["timestamp"] = dict(r["headers"])["X-Amz-Date"]
    canonical = signer.canonical_request(req)
    signature = signer.signature(signer.string_to_sign(req, canonical), req)
    names = signer.signed_headers(signer.headers_to_sign(req))
    return (f"AWS4-HMAC-SHA256 Credential={signer.scope(req)}, SignedHeaders={names}, Signature={signature}", canonical)


rows = [request() for _ in range(2000)]
wrong = []
for row, got in zip(rows, ask("sign", rows), strict=True):
    wanted, canonical = by_botocore(row)
    if got != wanted:
        wrong.append(f"{json.dumps(row)}\ngot    {got}\nwanted {wanted}\nof\n{canonical}")
ok(not wrong, f"{len(rows)} random requests are signed as botocore signs them (seed {seed})", "\n\n".join(wrong[:3]))

# ---- endpoints --------------------------------------------------------------------------------------

loader = botocore.session.get_session().get_component("data_loader")
partitions = loader.load_data("partitions")
regions = [r for p in partitions["partitions"] for r in p["regions"] if not r.endswith("-global")]
# Debian 12's botocore has other rules for GovCloud, and for what is rare.
new = tuple(map(int, botocore.__version__.split(".")[:2])) >= (1, 40)
regions = [r for r in regions if new or not r.startswith("us-iso")]
rows, wanted = [], []
for service in SERVICES:
    rules = botocore.endpoint_provider.EndpointProvider(loader.load_service_model(service, "endpoint-rule-set-1"), partitions)
    for region in regions:
        for fips in (False, True) if new else (False,):
            for dual in (False, True) if new else (False,):
                extra = {"UseGlobalEndpoint": False} if service == "sts" else {}
                try:
                    e = rules.resolve_endpoint(Region=region, UseFIPS=fips, UseDualStack=dual, **extra)
                except botocore.exceptions.EndpointProviderError:
                    continue
                scheme = (e.properties.get("authSchemes") or [{}])[0]
                rows.append({"service": service, "region": region, "fips": fips, "dual_stack": dual})
                wanted.append((e.url.removeprefix("https://"), scheme.get("signingRegion")))
wrong = []
for row, got, (host, signing) in zip(rows, ask("endpoint", rows), wanted, strict=True):
    # Where a rule says nothing, organizations is still signed for the one region it has.
    if got.split()[0] != host or (signing and got.split()[1] != signing):
        wrong.append(f"{row}: got {got}, wanted {host} {signing}")
ok(not wrong, f"{len(rows)} endpoints of {len(SERVICES)} services in {len(regions)} regions are botocore's", "\n".join(wrong[:20]))
print(f"1..{tests}")
sys.exit(1 if wrong else 0)
