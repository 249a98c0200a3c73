#!/bin/bash
# The courier's client and the network around it: certificates, proxies, names, clocks.
# shellcheck source-path=SCRIPTDIR
WANTS_MOTO=1
. "$(dirname "$0")/lib.sh"
. "$SRC/tests/aws/lib.sh"
CALL=$BUILD/tests/aws/awscall
cd /root || die "no /root"

# call NAME=VALUE... [-- ARGUMENT...]: who am I, with that environment on top; the line of JSON.
call()
{
    local changed=()

    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        changed+=("$1")
        shift
    done
    env "${changed[@]}" "$CALL" --attempts 1 "${@:2}" sts GetCallerIdentity '{}' 2>>"$DOUBLE_LOG"
}

outcome()
{
    call "$@" | jq -r .outcome
}

# ---- certificates ---------------------------------------------------------------------------------------

authority()
{
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout "$1.key" -out "$1.pem" -subj "/CN=$1" \
        -addext basicConstraints=critical,CA:TRUE 2>/dev/null
}

# certificate NAME AUTHORITY SAN [DAYS]
certificate()
{
    openssl req -new -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$1" 2>/dev/null &&
        openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days "${4:-2}" -out "$1.pem" \
            -extfile <(echo "subjectAltName=$3") 2>/dev/null
}

authority ours && authority theirs || die "no certificates"
certificate good ours IP:127.0.0.1,DNS:localhost && certificate elsewhere ours DNS:sso.eu-west-1.amazonaws.com &&
    certificate old ours IP:127.0.0.1 0 || die "no certificates"

start_double --cert good.pem --key good.key
is "a certificate that our authority signed is trusted" "$(outcome AWS_CA_BUNDLE=/root/ours.pem)" ok
answer=$(call)
is "one that nobody vouches for is not" "$(jq -r .outcome <<<"$answer")" unreachable
like "and is told" "$(jq -r .message <<<"$answer")" 'SSL certificate problem: unable to get local issuer certificate'
is "and nothing was sent" "$(jq .maybe_done <<<"$answer")" false
is "one of another authority is not, either" "$(outcome AWS_CA_BUNDLE=/root/theirs.pem)" unreachable
is "localhost is a name of it" \
    "$(outcome AWS_CA_BUNDLE=/root/ours.pem AWS_ENDPOINT_URL="${DOUBLE/127.0.0.1/localhost}")" ok
like "a bundle that is none is told" "$(call AWS_CA_BUNDLE=/root/ours.key)" 'unreachable'
is "https is not spoken with http" "$(outcome AWS_ENDPOINT_URL="${DOUBLE/https/http}")" unreachable
unbroken "the double saw no call but good ones"
is "and only those" "$(GET log | wc -l)" 2
stop_double

start_double --cert elsewhere.pem --key elsewhere.key
like "a certificate of another host is refused" "$(call AWS_CA_BUNDLE=/root/ours.pem)" \
    'unreachable.*|.*subject name'
is "by its outcome" "$(outcome AWS_CA_BUNDLE=/root/ours.pem)" unreachable
is "the double saw no call" "$(GET log | wc -l)" 0
stop_double

until_true 5 sh -c '! openssl x509 -in old.pem -noout -checkend 0 >/dev/null'
start_double --cert old.pem --key old.key
like "a certificate that has expired is refused" "$(call AWS_CA_BUNDLE=/root/ours.pem | jq -r .message)" 'expired'
stop_double

# ---- proxies --------------------------------------------------------------------------------------------

start_double --cert good.pem --key good.key
export AWS_CA_BUNDLE=/root/ours.pem
is "a proxy is used for https" "$(outcome HTTPS_PROXY=http://127.0.0.1:1)" unreachable
is "but where NO_PROXY says not to" "$(outcome HTTPS_PROXY=http://127.0.0.1:1 NO_PROXY=127.0.0.1)" ok
like "never for a container's credentials" "$(call -u AWS_ACCESS_KEY_ID HTTPS_PROXY=http://127.0.0.1:1 \
    AWS_CONTAINER_CREDENTIALS_FULL_URI="$DOUBLE/x" | jq -r .message)" "$DOUBLE/x: HTTP [45]"
is "ALL_PROXY and http_proxy mean nothing" "$(outcome ALL_PROXY=http://127.0.0.1:1 http_proxy=http://127.0.0.1:1)" ok
unset AWS_CA_BUNDLE
stop_double

# ---- names ----------------------------------------------------------------------------------------------

# A resolver that takes every question and answers none.
echo "nameserver 127.0.0.1" >/etc/resolv.conf
sed -i 's/^hosts:.*/hosts: files dns/' /etc/nsswitch.conf
python3 -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 53)); time.sleep(600)' &
until_true 10 sh -c "ss -Hlun | grep -q ':53 '"
start_ms=$(date +%s%3N)
answer=$(call AWS_ENDPOINT_URL=https://nowhere.test -- --within 1)
took_ms=$(($(date +%s%3N) - start_ms))
is "a name that nobody resolves is unreachable" "$(jq -r .message <<<"$answer")" 'nowhere.test: no answer in time'
is "and nothing was sent" "$(jq .maybe_done <<<"$answer")" false
ok "and giving up does not wait for the resolver ($took_ms ms)" [ $took_ms -lt 3500 ]

# ---- clocks ---------------------------------------------------------------------------------------------

start_double
POST set '{"clock_ahead_s": 900}'
answer=$(env "$CALL" --status sts GetCallerIdentity '{}' 2>/dev/null)
is "a clock that differs by a quarter of an hour is made good" "$(jq -rs '.[0].outcome' <<<"$answer")" ok
is "with a second attempt" "$(jq -s '.[0].attempts' <<<"$answer")" 2
like "and is told" "$(jq -s '.[1].clock_ahead' <<<"$answer")" '^(899|900|901)$'
POST set '{"clock_ahead_s": -900}'
is "behind us, too" "$(outcome)" ok
POST reset
is "and when both agree, one attempt is enough" "$(call | jq .attempts)" 1
finish
