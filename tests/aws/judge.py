"""botocore as the judge of both directions: what a client sends is held against AWS's own models and
signed again by botocore's signer; what the double answers is built from the models and read back by
botocore's parser. Works with botocore 1.29 (Debian 12) and later."""

import datetime
import functools
import json
import re
import sys
import unicodedata
import urllib.parse
from xml.sax.saxutils import escape

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.parsers
import botocore.session
import botocore.utils
import botocore.validate

SERVICES = ("sso-admin", "identitystore", "organizations", "sts", "cloudtrail", "logs")
JSON_TYPE = "application/x-amz-json-1.1"
CLOCK_TOLERANCE_S = 300
# Operations that are not signed, and members that botocore 1.29 has not heard of.
UNSIGNED = {"AssumeRoleWithWebIdentity"}
NEWER = {"State", "Paths", "Path", "PrimaryRegion", "Regions", "PermissionSetsEnabled", "UserStatus",
         "CreatedAt", "UpdatedAt", "CreatedBy", "UpdatedBy", "Status", "OwnerAccountId", "Name", "CreatedDate"}


class Wrong(Exception):
    """The client broke a rule. `breach` is false for what may happen to a good one (expired keys)."""

    def __init__(self, code, message, status=400, breach=True):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status, self.breach = code, message, status, breach


class Request:
    """One request as it came over the wire, and what the models make of it."""

    def __init__(self, method, target, headers, body):
        self.method, self.target, self.headers, self.body = method, target, headers, body
        self.service = self.operation = self.params = self.key = None

    def header(self, name):
        return self.headers.get(name.lower(), "")


def _no_duplicates(pairs):
    seen = dict(pairs)
    if len(seen) != len(pairs):
        raise Wrong("SerializationException", "a member is there twice")
    return seen


class Judge:
    def __init__(self):
        session = botocore.session.get_session()
        self.models = {name: session.get_service_model(name) for name in SERVICES}
        self.targets = {m.metadata["targetPrefix"]: name for name, m in self.models.items()
                        if "targetPrefix" in m.metadata}
        self.validator = botocore.validate.ParamValidator()
        self.parsers = {p: botocore.parsers.create_parser(p) for p in ("json", "query")}
        self.numbers = 0  # how timestamps are written: each way in turn

    # ---- what comes in -------------------------------------------------------------------------

    def understand(self, request):
        """Finds service, operation and parameters; raises Wrong."""
        if request.method != "POST" or request.target != "/":
            raise Wrong("UnknownOperationException", f"{request.method} {request.target}: not POST /", 404)
        target = request.header("x-amz-target")
        if target:
            prefix, _, name = target.rpartition(".")
            self._take(request, self.targets.get(prefix), name)
            if request.header("content-type") != JSON_TYPE:
                raise Wrong("SerializationException", f"Content-Type {request.header('content-type')!r}")
            request.params = self._json(request.body)
        else:
            self._take_query(request)
        self.check(request.operation.input_shape, request.params)

    def _take(self, request, service, name):
        if not service or name not in self.models[service].operation_names:
            raise Wrong("UnknownOperationException", f"{service}: no operation {name!r}")
        request.service = service
        request.operation = self.models[service].operation_model(name)

    @staticmethod
    def _json(body):
        try:
            params = json.loads(body.decode("utf-8"), object_pairs_hook=_no_duplicates)
        except ValueError as e:
            raise Wrong("SerializationException", f"no JSON: {e}") from e
        if not isinstance(params, dict):
            raise Wrong("SerializationException", "no object")
        return params

    def _take_query(self, request):
        if not request.header("content-type").startswith("application/x-www-form-urlencoded"):
            raise Wrong("MissingAction", "neither X-Amz-Target nor a form", 400)
        form = dict(urllib.parse.parse_qsl(request.body.decode(), keep_blank_values=True,
                                           strict_parsing=True))
        model = self.models["sts"]
        if form.pop("Version", "") != model.api_version:
            raise Wrong("NoSuchVersion", f"sts has version {model.api_version}")
        self._take(request, "sts", form.pop("Action", ""))
        shape = request.operation.input_shape
        request.params = {}
        for name, text in form.items():
            member = shape.members.get(name.split(".")[0])
            if member is None:
                raise Wrong("ValidationError", f"no parameter {name}")
            if member.type_name == "list":
                request.params.setdefault(name.split(".")[0], [])
            else:
                request.params[name] = int(text) if member.type_name == "integer" else text

    def check(self, shape, value, where=""):
        """Types, required members, lengths and ranges by botocore; the rest of the model by us."""
        if shape is None:
            if value:
                raise Wrong("ValidationException", f"takes no parameters, got {sorted(value)}")
            return
        if not where:
            report = self.validator.validate(value, shape)
            if report.has_errors():
                raise Wrong("ValidationException", report.generate_report())
        self._members(shape, value, where or shape.name)

    def _members(self, shape, value, where):
        kind, most = shape.type_name, shape.metadata.get("max")
        if getattr(shape, "is_document_type", False):
            return
        if most is not None and (value if kind in ("integer", "long") else len(value)) > most:
            raise Wrong("ValidationException", f"{where} is more than {most}")
        if kind == "structure":
            for name in value:
                if name not in shape.members:
                    raise Wrong("ValidationException", f"{where} has no member {name}")
            if getattr(shape, "is_tagged_union", False) and len(value) != 1:
                raise Wrong("ValidationException", f"{where}: exactly one member")
            for name, inner in value.items():
                self._members(shape.members[name], inner, f"{where}.{name}")
        elif kind == "list":
            for i, inner in enumerate(value):
                self._members(shape.member, inner, f"{where}[{i}]")
        elif kind == "string":
            self._text(shape, value, where)

    @staticmethod
    def _text(shape, value, where):
        if shape.enum and value not in shape.enum:
            raise Wrong("ValidationException", f"{where} {value!r} is none of {shape.enum}")
        pattern = shape.metadata.get("pattern")
        if pattern and not _pattern(pattern).fullmatch(value):
            raise Wrong("ValidationException", f"{where} {value!r} is not {pattern}")

    # ---- signatures -----------------------------------------------------------------------------

    def check_signature(self, request, find_key, regions, now):
        """Returns the access key id. find_key(id) gives {secret, token, expires} or None."""
        if request.operation.name in UNSIGNED and not request.header("authorization"):
            return ""
        m = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?"
                         r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})",
                         request.header("authorization"))
        if not m:
            raise Wrong("IncompleteSignature", "Authorization is missing or malformed", 403)
        akid, day, region, service, names, signature = m.groups()
        signed = names.split(";")
        self._check_scope(request, day, region, service, regions)
        self._check_signed(request, signed)
        key = find_key(akid)
        if key is None:
            code = "InvalidClientTokenId" if service == "sts" else "UnrecognizedClientException"
            raise Wrong(code, "The security token included in the request is invalid.", 403, False)
        if (key["token"] or "") != request.header("x-amz-security-token"):
            raise Wrong("UnrecognizedClientException", "not the session token of this key", 403)
        expected = self._sign(request, signed, key, service, region)
        if expected != signature:
            code = "SignatureDoesNotMatch" if service == "sts" else "InvalidSignatureException"
            raise Wrong(code, "The request signature we calculated does not match the signature you "
                        "provided.", 403)
        self._check_date(request, service, now)
        if key["expires"] and now >= key["expires"]:
            code = "ExpiredToken" if service == "sts" else "ExpiredTokenException"
            raise Wrong(code, "The security token included in the request is expired", 403, False)
        return akid

    def _check_scope(self, request, day, region, service, regions):
        if service != self.models[request.service].signing_name:
            raise Wrong("InvalidSignatureException", f"scope names service {service}", 403)
        if region not in regions[request.service]:
            raise Wrong("InvalidSignatureException", f"scope names region {region}, "
                        f"{request.service} has {regions[request.service]}", 403)
        if not re.fullmatch(r"\d{8}T\d{6}Z", request.header("x-amz-date")) or \
                request.header("x-amz-date")[:8] != day:
            raise Wrong("InvalidSignatureException", "X-Amz-Date and scope differ", 403)

    @staticmethod
    def _check_signed(request, signed):
        if signed != sorted(set(signed)):
            raise Wrong("InvalidSignatureException", "SignedHeaders is not sorted", 403)
        must = {"host"} | {n for n in request.headers if n.startswith("x-amz-") or n == "content-type"}
        for name in sorted(must - set(signed)):
            raise Wrong("InvalidSignatureException", f"{name} is not signed", 403)
        for name in signed:
            if name not in request.headers:
                raise Wrong("InvalidSignatureException", f"{name} is signed, but not there", 403)

    @staticmethod
    def _sign(request, signed, key, service, region):
        credentials = botocore.credentials.Credentials(key["id"], key["secret"])
        signer = botocore.auth.SigV4Auth(credentials, service, region)
        again = botocore.awsrequest.AWSRequest(
            method=request.method, url=f"http://{request.header('host')}{request.target}",
            data=request.body, headers={n: request.headers[n] for n in signed})
        again.context["timestamp"] = request.header("x-amz-date")
        canonical = signer.canonical_request(again)
        return signer.signature(signer.string_to_sign(again, canonical), again)

    @staticmethod
    def _check_date(request, service, now):
        then = datetime.datetime.strptime(request.header("x-amz-date"), "%Y%m%dT%H%M%SZ")
        ahead = then.replace(tzinfo=datetime.timezone.utc).timestamp() - now
        if abs(ahead) <= CLOCK_TOLERANCE_S:
            return
        code = "RequestExpired" if service == "sts" else "InvalidSignatureException"
        what = "expired" if ahead < 0 else "not yet current"
        raise Wrong(code, f"Signature {what}: {request.header('x-amz-date')} is {ahead:+.0f} s off",
                    403, False)

    # ---- what goes out --------------------------------------------------------------------------

    def answer(self, operation, value):
        """(body, content type), after botocore has validated it and read it back."""
        shape = operation.output_shape
        if operation.service_model.metadata["protocol"] == "json":
            text, expected = self._json_of(shape, value) if shape else ("{}", {})
            kind, protocol = JSON_TYPE, "json"
        else:
            inner, expected = self._xml_of(shape, value)
            name = operation.name
            text = (f'<{name}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{name}Result>'
                    f"{inner}</{name}Result><ResponseMetadata><RequestId>double</RequestId>"
                    f"</ResponseMetadata></{name}Response>")
            kind, protocol = "text/xml", "query"
        body = text.encode("utf-8")
        back = self.parsers[protocol].parse(
            {"status_code": 200, "headers": {"content-type": kind}, "body": body}, shape)
        back.pop("ResponseMetadata", None)
        if back != expected:
            raise AssertionError(f"{operation.name}: botocore reads {back!r}, meant {expected!r}")
        if shape:
            self.check(shape, expected)
        return body, kind

    def _json_of(self, shape, value):
        kind = shape.type_name
        if kind == "structure":
            parts, expected = [], {}
            for name, inner in value.items():
                if name not in shape.members and name in NEWER:
                    continue
                text, expected[name] = self._json_of(shape.members[name], inner)
                parts.append(f"{json.dumps(name)}:{text}")
            return "{" + ",".join(parts) + "}", expected
        if kind == "list":
            pairs = [self._json_of(shape.member, inner) for inner in value]
            return "[" + ",".join(t for t, _ in pairs) + "]", [e for _, e in pairs]
        if kind == "timestamp":
            return self._timestamp(value)
        return json.dumps(value), value

    def _timestamp(self, value):
        """As AWS was seen to write it: whole, with a fraction, with an exponent."""
        self.numbers += 1
        text = (str(int(value)), f"{value:.3f}", f"{value / 1e9:.12f}E9")[self.numbers % 3]
        return text, botocore.utils.parse_timestamp(float(text))

    def _xml_of(self, shape, value):
        parts, expected = [], {}
        for name, inner in value.items():
            member = shape.members[name]
            if member.type_name == "structure":
                text, expected[name] = self._xml_of(member, inner)
            elif member.type_name == "timestamp":
                text = datetime.datetime.fromtimestamp(inner, datetime.timezone.utc)
                text = text.strftime("%Y-%m-%dT%H:%M:%SZ")
                expected[name] = botocore.utils.parse_timestamp(text)
            else:
                text, expected[name] = escape(str(inner)), inner
            parts.append(f"<{name}>{text}</{name}>")
        return "".join(parts), expected


@functools.lru_cache(maxsize=None)
def _category(letter):
    """The inside of a character class with every character of a Unicode category (p{L})."""
    runs, last = [], -2
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code))[0] == letter:
            if code != last + 1:
                runs.append([code, code])
            runs[-1][1] = last = code
    return "".join(f"\\U{a:08x}-\\U{b:08x}" for a, b in runs)


@functools.lru_cache(maxsize=None)
def _pattern(pattern):
    """AWS's patterns are Java's, and in classes know categories that Python's re does not know."""
    inside = re.sub(r"\[[^\]]*\]", lambda c: re.sub(r"\\p\{(.)\}", lambda m: _category(m[1]), c[0]), pattern)
    return re.compile(re.sub(r"\\p\{(.)\}", lambda m: f"[{_category(m[1])}]", inside))
