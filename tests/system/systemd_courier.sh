#!/bin/bash
# team-courier.service under a real systemd: inside of its sandbox it resolves names, speaks TLS, runs a
# credential process and reads AWS; and of all programs it alone can open a socket of the internet.
# shellcheck disable=SC1091,SC2016,SC2154
. "$(dirname "$0")/systemd_lib.sh"

# ---- a machine with AWS -------------------------------------------------------------------------------

python=/usr/bin/python3
$python -c 'import botocore' 2>/dev/null || die "no $python with botocore; install python3-botocore"
install_team || die "not installed: $(cat /mnt/install)"
config <<'CONF'
settings: { admins = ["dave"]; require_comment = false; };
identity: { aws_user = "{user}@example.com"; };
aws: { region = "eu-west-1"; };
eligibility = ( { name = "sre"; who = ["alice"]; targets = ["aws:*/*"]; max_duration = "4h"; approval_required = false; } );
CONF
mkdir -p $ROOT/opt/double && cp "$SRC"/tests/aws/*.py $ROOT/opt/double
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout $ROOT/opt/double/key.pem -out $ROOT/etc/team/ca.pem \
    -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null || die "no certificate"
cat >$ROOT/etc/team/courier.env <<'ENV'
AWS_ENDPOINT_URL=https://localhost:4567
AWS_CA_BUNDLE=/etc/team/ca.pem
AWS_CONFIG_FILE=/etc/team/aws-config
AWS_EC2_METADATA_DISABLED=true
ENV
chmod 600 $ROOT/etc/team/courier.env
printf '[default]\ncredential_process = /usr/local/bin/keys\n' >$ROOT/etc/team/aws-config
chmod 644 $ROOT/etc/team/ca.pem

# probe NAME: run by a unit before its program, as its user, in its sandbox; says what it can do.
cat >$ROOT/usr/local/bin/probe <<'PROBE'
#!/usr/bin/python3
import os, socket, sys
def can(what):
    try:
        what()
        return "yes"
    except OSError as e:
        return "no"
families = {"unix": socket.AF_UNIX, "inet": socket.AF_INET, "inet6": socket.AF_INET6, "netlink": socket.AF_NETLINK}
with open(sys.argv[1], "w") as f:
    for name, family in families.items():
        print(name, can(lambda: socket.socket(family, socket.SOCK_DGRAM)), file=f)
    print("store", can(lambda: os.listdir("/var/lib/team")), file=f)
    print("control", can(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).connect("/run/team/control.sock")), file=f)
    print("home", can(lambda: os.listdir("/root")), file=f)
    print("etc", can(lambda: open("/etc/team/new", "w")), file=f)
    print("env", can(lambda: open("/etc/team/courier.env")), file=f)
    print("aws", " ".join(sorted(n for n in os.environ if n.startswith("AWS_"))), file=f)
PROBE
chmod 755 $ROOT/usr/local/bin/probe
for unit in teamd team-courier; do
    home=/var/lib/${unit/teamd/team}
    install -D -m 0644 /dev/stdin $ROOT/etc/systemd/system/$unit.service.d/probe.conf <<UNIT
[Service]
ExecStartPre=/usr/local/bin/probe $home/probe
UNIT
done

boot
inside ip link set lo up || die "no loopback"
inside systemd-sysusers team.conf && inside systemd-tmpfiles --create team.conf && inside systemctl daemon-reload
inside systemd-run -q --unit=double $python -B /opt/double/double.py --port 4567 --cert /etc/team/ca.pem \
    --key /opt/double/key.pem
GET()
{
    inside curl -sSfk "https://localhost:4567/_double/$1"
}
until_true 30 GET world || die "no double: $(inside journalctl -u double -o cat | tail -n 5)"
printf '#!/bin/sh\necho \x27{"Version":1,"AccessKeyId":"AKIDEXAMPLE","SecretAccessKey":"%s"}\x27\n' \
    "$(GET world | jq -r .secret)" >$ROOT/usr/local/bin/keys
chmod 755 $ROOT/usr/local/bin/keys

# ---- starting -------------------------------------------------------------------------------------------

prop()
{
    inside systemctl show -P "$1" "${2:-team-courier.service}"
}

probed()
{
    inside sed -n "s/^$2 //p" "/var/lib/$1/probe"
}

status_of()
{
    inside teamctl status --json | jq -r --arg n "$1" '.[$n]'
}
reads_aws()
{
    inside teamctl status --json | jq '.accounts > 0' | grep -q true
}

ok "everything is enabled and started" inside systemctl enable --now team-gate.socket team-control.socket \
    team-courier.socket team-courier.service
is "the courier is running" "$(prop ActiveState)" active
is "its socket is root's and its own" "$(inside stat -c '%U:%G %a' /run/team/courier.sock)" "root:team-courier 660"
inside teamctl list >/dev/null
ok "and AWS has been read, over TLS and by the keys that a process printed" until_true 30 reads_aws
is "we are who the keys are" "$(status_of courier_identity)" arn:aws:iam::555566667777:user/courier
is "the double has nothing to complain of" "$(GET breaches)" ""
like "STATUS says what it does" "$(prop StatusText)" '^connected; 0 jobs'

# ---- who can do what --------------------------------------------------------------------------------------

is "the courier reaches the network" "$(probed team-courier inet) $(probed team-courier inet6)" "yes yes"
is "teamd does not" "$(probed team inet) $(probed team inet6) $(probed team netlink)" "no no no"
is "both speak to Unix sockets" "$(probed team-courier unix) $(probed team unix)" "yes yes"
is "the store is teamd's" "$(probed team store) $(probed team-courier store)" "yes no"
is "the courier asks nothing on control.sock" "$(probed team-courier control)" no
is "nobody reads root's home, or writes into /etc" \
    "$(probed team home) $(probed team etc) $(probed team-courier home) $(probed team-courier etc)" "no no no no"
is "the variables are the courier's, and their file root's" \
    "$(probed team-courier aws), $(probed team-courier env)" \
    "AWS_CA_BUNDLE AWS_CONFIG_FILE AWS_EC2_METADATA_DISABLED AWS_ENDPOINT_URL, no"
is "teamd knows none" "$(probed team aws)" ""
pid=$(prop MainPID)
is "the courier has no capability, and gets none" \
    "$(inside sed -nE 's/^(CapEff|CapBnd|NoNewPrivs|Seccomp):\s*//p' "/proc/$pid/status" | xargs)" \
    "0000000000000000 0000000000000000 1 2"
is "it is not root, and nobody looks into its memory" \
    "$(inside stat -c %U "/proc/$pid/environ") $(inside ps -o user= -p "$pid")" "root team-courier"
for program in teamd teamctl; do
    is "$program links no library for networks and secrets of others" \
        "$(readelf -d "$BUILD/$program" | grep -oE 'lib(curl|ssl|crypto|gnutls|nss|ldap)[^]]*')" ""
    is "$program calls nothing that resolves names" \
        "$(nm -D --undefined-only "$BUILD/$program" | grep -oE '\b(getaddrinfo|gethostby[a-z_]*|res_[a-z]*)\b')" ""
done
ok "the courier links curl" sh -c "readelf -d $BUILD/team-courier | grep -q libcurl"
run inside systemd-analyze security --no-pager --threshold=20 team-courier.service
is "systemd-analyze security finds an exposure of 2.0 of 10 at most" "$status" 0

# ---- coming and going ---------------------------------------------------------------------------------------

is_another()
{
    [ "$(prop MainPID)" != "$pid" ] && [ "$(prop ActiveState)" = active ]
}
inside kill -KILL "$pid"
ok "a courier that dies is started again" until_true 10 is_another
ok "and connects" until_true 20 sh -c "$(declare -f inside prop); INIT=$INIT ROOT=$ROOT MACHINE_CGROUP=$MACHINE_CGROUP; prop StatusText | grep -q ^connected"
ok "a reload reads everything again" inside systemctl reload team-courier.service
ok "and AWS is read on" inside teamctl refresh
sed -i '/^aws:/d' $ROOT/etc/team/team.conf
inside systemctl restart team-courier.service
ok "without aws: it stays down" until_true 5 sh -c "$(declare -f inside prop); INIT=$INIT ROOT=$ROOT MACHINE_CGROUP=$MACHINE_CGROUP; [ \"\$(prop ActiveState)\" = failed ]"
is "and is not tried again" "$(prop ExecMainStatus)" 78
finish
