#!/usr/bin/env bash
# Devices on the console, with real processes: a hub, this computer's agent, a shell script that publishes with curl,
# commands, and what `tail` tells of all that through a killed hub. What is waited for is looked for until it is there.
set -euo pipefail
cd "$REAL_DIR"
data=$REAL_DIR/hub
unset DUPLEX_TOKEN

ctl() { "$DUPLEXCTL" "$@"; }
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
says() { grep -q "$2" "$1" 2>/dev/null; }
count() { grep -c "$2" "$1" || true; }
more_than() { [ "$(count "$1" "$2")" -gt "$3" ]; }
exits() { # CODE COMMAND…
    local expected=$1 code=0
    shift
    "$@" >>exits.log 2>&1 || code=$?
    [ "$code" -eq "$expected" ] || fail "exit $code instead of $expected: $*"
}
status() { printf '"device":"%s","event":"status".*"status":"%s"' "$1" "$2"; }
reading() { printf '"device":"%s","event":"reading","metric":"%s"' "$1" "$2"; }

running=()
trap 'kill "${running[@]}" 2>/dev/null || true' EXIT

start_hub() {
    : >hub.log
    "$DUPLEXCTL" hub --listen "127.0.0.1:${1:-0}" --data-dir "$data" >hub.log 2>&1 &
    hub=$!
    running+=("$hub")
    until_true 20 'the hub' says hub.log 'hub at'
    url=$(sed -n 's/^hub at //p' hub.log)
    http=http://${url#ws://}
    http=${http%/v1/socket}
}
publish() { # TEMPERATURE: prints the status
    curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $token" \
        -d "{\"temperature\": $1, \"relay\": true}" "$http/v1/devices/shed/readings?expect_every_s=1"
}

start_hub
"$DUPLEXCTL" tail "$url" --data-dir "$data" --json >tail.log 2>tail.err.log &
tail=$!
running+=("$tail")
until_true 20 'tail to be online' says tail.log '"state":"online"'

step 'this computer is a device, and its readings move'
"$DUPLEXCTL" agent --url "$url" --data-dir "$data" --id bench --name 'The bench' >agent.log 2>&1 &
agent=$!
running+=("$agent")
until_true 20 'the agent' says tail.log "$(status bench online)"
until_true 20 'its CPU' more_than tail.log "$(reading bench cpu)" 1
says tail.log '"name":"The bench".*"unit":"MiB"' || fail 'no memory with its unit'
[ "$(count agent.log '^online')" -eq 1 ] || fail 'the agent says once that it is online'

step 'a command is carried out, or refused'
exits 0 ctl command "$url" bench interval 2 --data-dir "$data"
until_true 20 'the new interval' says tail.log "$(reading bench interval).*\"value\":2}"
exits 3 ctl command "$url" bench interval 99 --data-dir "$data"
exits 3 ctl command "$url" bench cpu 1 --data-dir "$data"
exits 3 ctl command "$url" nobody interval 1 --data-dir "$data"
exits 3 ctl command "$url" bench interval 1 --token wrong
exits 3 ctl agent --url "$url" --token wrong

step 'a script with curl is a device within one reading'
token=$(ctl device add shed --name 'The shed' --data-dir "$data" 2>device.log)
says device.log "curl $http/v1/devices/shed/readings" || fail 'it does not say how to use the token'
ctl device list --json --data-dir "$data" | grep -q '"device":"shed"' || fail 'the device is not listed'
[ "$(publish 21.5)" = 204 ] || fail 'the reading was not taken'
until_true 20 'the reading' says tail.log "$(reading shed temperature).*\"value\":21.5}"
until_true 20 'the device' says tail.log "$(status shed online)"

step 'it goes silent when it stops'
until_true 40 'silence' says tail.log "$(status shed silent)"
[ "$(publish 22)" = 204 ] || fail 'it does not come back'
until_true 20 'it to be back' more_than tail.log "$(status shed online)" 1

step 'a killed hub is nobody being silent'
silent=$(count tail.log '"status":"silent"')
port=${http##*:}
kill -9 "$hub"
until_true 20 'bench to be unknown' says tail.log "$(status bench unknown)"
until_true 20 'shed to be unknown' says tail.log "$(status shed unknown)"
until_true 20 'the agent to notice' says agent.log '^waiting'
online=$(count tail.log "$(status bench online)")
start_hub "$port"
until_true 60 'bench to be back' more_than tail.log "$(status bench online)" "$online"
[ "$(count tail.log '"status":"silent"')" -eq "$silent" ] || fail 'somebody was called silent for our link'
until_true 60 'the agent to be back' more_than agent.log '^online' 1

step 'a token that was taken away is good for nothing'
ctl device remove shed --data-dir "$data" >>exits.log
[ "$(publish 23)" = 401 ] || fail 'the token still works'

step 'the agent says goodbye'
kill -TERM "$agent"
wait "$agent" || fail "the agent ended with $?"
until_true 20 'its goodbye' says tail.log "$(status bench offline)"
exits 1 ctl command "$url" bench interval 1 --data-dir "$data" --timeout 60s

kill -TERM "$hub"
wait "$hub" || fail "the hub ended with $?"
