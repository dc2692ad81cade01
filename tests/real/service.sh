#!/usr/bin/env bash
# The hub as systemd runs it: it says that it is ready once it serves, and that it stops when it is told to. Systemd is
# played by a socket that writes down what it is told.
set -euo pipefail
cd "$REAL_DIR"
unset DUPLEX_TOKEN

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

running=()
trap 'kill "${running[@]}" 2>/dev/null || true' EXIT

/usr/bin/python3 -u -c '
import socket
told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
told.bind("notify")
while True:
    print(told.recv(4096).decode())' >notify.log 2>&1 &
running+=($!)
until_true 20 'the socket' test -S notify

NOTIFY_SOCKET=$REAL_DIR/notify "$DUPLEXCTL" hub --listen 127.0.0.1:0 --data-dir "$REAL_DIR/hub" >hub.log 2>&1 &
hub=$!
running+=("$hub")
until_true 20 'READY=1' grep -qx 'READY=1' notify.log
url=$(sed -n 's/^hub at //p' hub.log)
http=http://${url#ws://}
curl -sf -o /dev/null "${http%/v1/socket}/healthz" || fail 'it said that it is ready, and does not answer'

kill -TERM "$hub"
wait "$hub" || fail "the hub ended with $?"
until_true 20 'STOPPING=1' grep -qx 'STOPPING=1' notify.log

# A hub that cannot serve does not say that it does.
: >notify.log
code=0
NOTIFY_SOCKET=$REAL_DIR/notify "$DUPLEXCTL" hub --listen 192.0.2.1:7870 --insecure --data-dir "$REAL_DIR/hub" >hub.log 2>&1 || code=$?
[ "$code" -eq 1 ] || fail "exit $code instead of 1 for an address that is not of this computer"
! grep -q READY notify.log || fail 'it said that it is ready'
