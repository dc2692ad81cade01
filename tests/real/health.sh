#!/usr/bin/env bash
# A hub's health with real processes: a first start that is killed at any moment goes on by itself, a log that is damaged,
# cut or gone is told and repaired, a backup of a running hub starts, and on a full disk no reading is confirmed that is
# not there afterwards (a small disk of memory in a mount namespace of its own; left out where there is none).
set -euo pipefail
cd "$REAL_DIR"
unset DUPLEX_TOKEN

step() { printf -- '-- %s\n' "$*"; }
fail() {
    printf 'FAILED: %s\n' "$*" >&2
    tail -n 15 ./*.log >&2
    exit 1
}
until_true() { # SECONDS WHAT COMMAND…
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || fail "waited for $what"
        sleep 0.05
    done
}
says() { grep -q -- "$2" "$1" 2>/dev/null; }
exits() { # CODE COMMAND…
    local expected=$1 code=0
    shift
    "$@" >exits.log 2>&1 || code=$?
    [ "$code" -eq "$expected" ] || fail "exit $code instead of $expected: $*"
}

running=()
trap 'kill "${running[@]}" 2>/dev/null || true' EXIT
start_hub() { # DIR [FLAG…]
    : >hub.log
    "$DUPLEXCTL" hub --listen 127.0.0.1:0 --data-dir "$@" >hub.log 2>&1 &
    hub=$!
    running+=("$hub")
    until_true 20 'the hub' says hub.log 'hub at'
    url=$(sed -n 's/^hub at //p' hub.log)
    http=http://${url#ws://}
    http=${http%/v1/socket}
}
stop_hub() {
    kill -TERM "$hub"
    wait "$hub" || fail "the hub ended with $?"
}
health() { curl -s -o health.json -w '%{http_code}' "$http/healthz"; }
is_health() { [ "$(health)" = "$1" ]; }
publish() { # TOKEN BODY: prints the status
    curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $1" -d "$2" "$http/v1/devices/shed/readings"
}

step 'a first start that is killed goes on with the next one'
for round in $(seq 1 40); do
    rm -rf first
    "$DUPLEXCTL" hub --listen 127.0.0.1:0 --data-dir first >first.log 2>&1 &
    first=$!
    # Over the whole of a first start, which takes some dozens of milliseconds.
    sleep "0.$(printf '%03d' $((round * 2)))"
    kill -9 "$first" 2>/dev/null || true
    wait "$first" 2>/dev/null || true
    start_hub first
    "$DUPLEXCTL" send "$url" --data-dir first --room general hello >exits.log 2>&1 || fail "round $round"
    stop_hub
done

step 'a backup of a running hub starts elsewhere'
start_hub data
for number in $(seq 1 120); do
    "$DUPLEXCTL" send "$url" --data-dir data --room general "$number $(printf 'm%.0s' $(seq 1 3000))" >/dev/null
done
exits 0 "$DUPLEXCTL" hub check --data-dir data
exits 1 "$DUPLEXCTL" hub repair --data-dir data
says exits.log 'stop it first' || fail 'a running hub must not be repaired'
exits 0 "$DUPLEXCTL" hub backup copy --data-dir data
exits 1 "$DUPLEXCTL" hub backup copy --data-dir data
stop_hub
start_hub copy
[ "$("$DUPLEXCTL" tail "$url" --data-dir copy --since 0 --count 120 --json | grep -c '"event":"message"')" -eq 120 ] ||
    fail 'the copy is not whole'
stop_hub

step 'damage is told, and repaired'
page=$(($(grep -abo '20 mmmm' data/hub.db | head -n 1 | cut -d: -f1) / 4096))
head -c 300 /dev/urandom | dd of=data/hub.db bs=1 seek=$((page * 4096)) conv=notrunc status=none
exits 1 "$DUPLEXCTL" hub check --data-dir data
start_hub data
until_true 30 'the damage to be told' is_health 503
says health.json log_damaged || fail 'another word'
[ "$(grep -c 'is damaged' hub.log)" -eq 1 ] || fail 'it is logged once'
stop_hub
exits 0 "$DUPLEXCTL" hub repair --data-dir data
exits 0 "$DUPLEXCTL" hub check --data-dir data
start_hub data
[ "$(health)" = 200 ] || fail 'the repaired hub is not well'
stop_hub

step 'a log that is gone is not begun anew'
: >data/hub.db
exits 1 "$DUPLEXCTL" hub --listen 127.0.0.1:0 --data-dir data
says exits.log 'missing or empty' || fail 'it does not say why'
start_hub data --new-log
stop_hub

step 'a full disk costs no reading that was confirmed'
cat >full.sh <<'FULL'
set -euo pipefail
mount -t tmpfs -o size=24m tmpfs "$1"
"$DUPLEXCTL" hub --listen 127.0.0.1:0 --data-dir "$1/hub" >full.log 2>&1 &
hub=$!
trap 'kill "$hub" 2>/dev/null || true' EXIT
end=$((SECONDS + 20))
until grep -q 'hub at' full.log; do [ "$SECONDS" -lt "$end" ]; sleep 0.05; done
url=$(sed -n 's/^hub at //p' full.log)
http=http://${url#ws://}
http=${http%/v1/socket}
token=$("$DUPLEXCTL" device add shed --data-dir "$1/hub" 2>/dev/null)
post() { curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $token" -d "$1" "$http/v1/devices/shed/readings"; }
[ "$(post '{"first": 1}')" = 204 ]
dd if=/dev/zero of="$1/fill" bs=4096 status=none 2>/dev/null || true
# Until it is refused; what was confirmed before is in the file afterwards.
last=0
for number in $(seq 1 2000); do
    code=$(post "{\"count\": $number}")
    [ "$code" = 204 ] || break
    last=$number
    sleep 0.05
done
echo "refused with $code after $last"
[ "$code" = 503 ]
kill -TERM "$hub"
wait "$hub" || true
rm "$1/fill"
"$DUPLEXCTL" hub check --data-dir "$1/hub"
python3 - "$1/hub/hub-readings.db" "$last" <<'PYTHON'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
value = db.execute("SELECT value FROM last JOIN series ON id = series WHERE metric = 'count'").fetchone()
found = float(value[0].strip('"') if value else 0)
assert found == float(sys.argv[2]), f'{value} is kept, and {sys.argv[2]} was confirmed'
PYTHON
FULL
mkdir -p small
if unshare --mount true 2>/dev/null; then
    unshare --mount bash full.sh "$REAL_DIR/small" >full.out.log 2>&1 || fail 'a reading was confirmed and lost'
    cat full.out.log
else
    echo 'left out: this user cannot make a small disk'
fi
