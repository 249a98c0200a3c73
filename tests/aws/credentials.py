"""botocore judges where credentials are taken from: random environments and files are given to it and to
the client. Usage: credentials.py PURE [SEED]; prints TAP."""

import os
import random
import subprocess
import sys
import tempfile

import botocore.credentials
import botocore.exceptions
import botocore.session

pure, seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
chance = random.Random(seed)
NAMES = ["default", "a", "b", "c"]
CASES = 400


def maybe(probability):
    return chance.random() < probability


def keys(who):
    lines = [f"aws_access_key_id = AKIA{who}", f"aws_secret_access_key = secret{who}"]
    if maybe(0.2):
        lines.append("aws_session_token = token")
    return lines


def profile(name):
    lines = []
    if maybe(0.3):
        lines += keys("CONFIG" + name.upper())
    if maybe(0.2):
        lines.append(f"credential_process = /bin/echo PROCESS{name}")
    if maybe(0.6):
        lines.append(f"role_arn = arn:aws:iam::111122223333:role/{name}")
        if maybe(0.9):
            lines.append(f"source_profile = {chance.choice(NAMES)}" if maybe(0.8) else "credential_source = Environment")
        if maybe(0.3):
            lines.append(f"external_id = external{name}")
    chance.shuffle(lines)
    return lines


def case():
    """(environment, text of the configuration file, text of the credentials file)"""
    config = credentials = ""
    for name in chance.sample(NAMES, chance.randint(2, 4)):
        head = chance.choice([f"[profile {name}]", f'[profile "{name}"]'] if name != "default" else ["[default]"])
        config += head + "\n" + "\n".join(profile(name)) + "\n"
    for name in chance.sample(NAMES, chance.randint(0, 2)):
        credentials += f"[{name}]\n" + "\n".join(keys("CRED" + name.upper())) + "\n"
    environment = {"AWS_EC2_METADATA_DISABLED": "true"}
    if maybe(0.3):
        environment |= {"AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "secretenv"}
    if maybe(0.7):
        environment["AWS_PROFILE"] = chance.choice(NAMES)
    return environment, config, credentials


class Sts:
    """Gives every role, and notes which."""

    def __init__(self, roles):
        self.roles = roles

    def assume_role(self, RoleArn, ExternalId="", **_):
        self.roles.append(f"{RoleArn}+{ExternalId}")
        return {"Credentials": {"AccessKeyId": "ASIA", "SecretAccessKey": "s", "SessionToken": "t",
                                "Expiration": "2099-01-01T00:00:00Z"}}


def by_botocore(environment):
    roles, first = [], []
    saved = dict(os.environ)

    def client(*_, **options):
        if not roles:
            first.append(options["aws_access_key_id"])
        return Sts(roles)

    def process(self, command):
        return {"access_key": command, "secret_key": "s", "token": None, "expiry_time": None, "account_id": None}

    botocore.credentials._get_client_creator = lambda *_: client
    botocore.credentials.ProcessProvider._retrieve_credentials_using = process
    os.environ.clear()
    os.environ.update(environment)
    try:
        session = botocore.session.Session()
        found = session.get_credentials()
        if found is None:
            return "error: none"
        key = found.get_frozen_credentials().access_key
        return " > ".join([first[0] if roles else key] + roles)
    except (botocore.exceptions.BotoCoreError, KeyError) as e:
        return f"error: {type(e).__name__}: {e}"
    finally:
        os.environ.clear()
        os.environ.update(saved)


wrong, counts = [], {}
with tempfile.TemporaryDirectory() as folder:
    for _ in range(CASES):
        environment, config, credentials = case()
        environment |= {"AWS_CONFIG_FILE": folder + "/config", "AWS_SHARED_CREDENTIALS_FILE": folder + "/credentials",
                        "HOME": folder, "PATH": os.environ["PATH"]}
        for name, content in (("config", config), ("credentials", credentials)):
            with open(folder + "/" + name, "w", encoding="utf-8") as f:
                f.write(content)
        wanted = by_botocore(environment)
        got = subprocess.run([pure, "plan"], env=environment, capture_output=True, text=True, check=True).stdout.strip()
        kind = "an error" if wanted.startswith("error") else f"{wanted.count(' > ')} roles"
        counts[kind] = counts.get(kind, 0) + 1
        if got != wanted and not (got.startswith("error") and wanted.startswith("error")):
            wrong.append(f"{environment}\n{config}---\n{credentials}got    {got}\nwanted {wanted}")
print(f"{'not ok' if wrong else 'ok'} 1 - {CASES} random configurations mean what botocore makes of them (seed {seed}: "
      + ", ".join(f"{n} with {kind}" for kind, n in sorted(counts.items())) + ")")
for text in wrong[:4]:
    print("\n".join("#   " + line for line in text.splitlines()))
if wrong:
    print(f"#   {len(wrong)} in all")
print("1..1")
