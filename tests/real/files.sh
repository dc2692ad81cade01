#!/usr/bin/env bash
# Files with real processes: 200 MB go to a hub that is killed three times on the way and come back with the right checksum,
# the memory of both ends stays flat, and a full disk is a clear refusal after which the same command goes on (a small disk
# of memory in a mount namespace of its own; left out where there is none).
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
        sleep 0.02
    done
}
says() { grep -q -- "$2" "$1" 2>/dev/null; }
size_of() { stat --format %s "$1" 2>/dev/null || echo 0; }
# The largest memory that a process has used, in kB.
peak() { sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status"; }

running=()
trap 'kill "${running[@]}" 2>/dev/null || true' EXIT
listen=127.0.0.1:0
start_hub() { # DIR [FLAG…]
    : >hub.log
    "$DUPLEXCTL" hub --listen "$listen" --data-dir "$@" >hub.log 2>&1 &
    hub=$!
    running+=("$hub")
    until_true 20 'the hub' says hub.log 'hub at'
    url=$(sed -n 's/^hub at //p' hub.log)
    listen=${url#ws://}
    listen=${listen%/v1/socket}
}
has_part_of() { # BYTES
    local part
    part=$(find hub/hub-files/parts -type f 2>/dev/null | head -n 1)
    [ -n "$part" ] && [ "$(size_of "$part")" -ge "$1" ]
}

step '200 MB to a hub that is killed three times on the way'
head -c 200000000 /dev/urandom >source.bin
sum=$(sha256sum <source.bin)
start_hub hub
"$DUPLEXCTL" file send "$url" --room general --timeout 5m --data-dir hub source.bin >id.log 2>send.log &
send=$!
running+=("$send")
most=0
for at in 40000000 90000000 150000000; do
    until_true 120 "the first $at bytes" has_part_of "$at"
    now=$(peak "$hub")
    [ "$now" -gt "$most" ] && most=$now
    kill -9 "$hub"
    wait "$hub" 2>/dev/null || true
    start_hub hub
done
until_true 120 'the last part' has_part_of 170000000
sender=$(peak "$send")
wait "$send" || fail 'the file was not sent'
now=$(peak "$hub")
[ "$now" -gt "$most" ] && most=$now
# A hub takes about 40 MB by itself; neither end may hold a fifth of the file.
[ "$most" -lt 100000 ] || fail "the hub took $most kB"
[ "$sender" -lt 60000 ] || fail "the sender took $sender kB"
printf 'memory: hub %s kB, sender %s kB\n' "$most" "$sender"

step 'and back, to a reader that is killed on the way'
id=$(cat id.log)
"$DUPLEXCTL" file get "$url" "$id" -o back.bin --data-dir hub >get.log 2>&1 &
get=$!
part=back.bin.${id:0:8}.part
is_half() { [ "$(size_of "$part")" -gt 50000000 ] || [ -e back.bin ]; }
until_true 120 'half of it' is_half
kill -9 "$get" 2>/dev/null || true
wait "$get" 2>/dev/null || true
[ -e back.bin ] || "$DUPLEXCTL" file get "$url" "$id" -o back.bin --data-dir hub >get.log 2>&1 || fail 'it was not fetched'
[ "$(sha256sum <back.bin)" = "$sum" ] || fail 'another checksum'
"$DUPLEXCTL" hub check --data-dir hub >check.log 2>&1 || fail 'the check found something'
kill "$hub"
wait "$hub" || true
rm -f source.bin back.bin

step 'a full disk is refused, and the same command goes on once there is space'
if ! unshare --mount true 2>/dev/null; then
    echo 'left out: no mount namespaces here'
    exit 0
fi
export -f step fail until_true says
cat >full.sh <<'INNER'
set -euo pipefail
mkdir -p small
mount -t tmpfs -o size=64m tmpfs small
head -c 30000000 /dev/urandom >source.bin
"$DUPLEXCTL" hub --listen 127.0.0.1:0 --data-dir small/hub >small.log 2>&1 &
hub=$!
trap 'kill "$hub" 2>/dev/null || true' EXIT
until_true 20 'the hub' says small.log 'hub at'
url=$(sed -n 's/^hub at //p' small.log)
head -c 32000000 /dev/zero >small/filler
id=0b1a9c6e-3d55-4b52-9d8e-5f4f6f0a7c11
code=0
"$DUPLEXCTL" file send "$url" --room general --id "$id" --timeout 3s --data-dir small/hub source.bin >full.log 2>&1 || code=$?
[ "$code" -eq 4 ] || fail "exit $code instead of 4"
says full.log 'disk is full' || fail 'it does not say why'
"$DUPLEXCTL" send "$url" --room general --data-dir small/hub 'There is room for words' || fail 'no room for words'
rm small/filler
"$DUPLEXCTL" file send "$url" --room general --id "$id" --timeout 30s --data-dir small/hub source.bin >full.log 2>&1 || fail 'it did not go on'
INNER
unshare --mount bash full.sh || fail 'on a full disk'
