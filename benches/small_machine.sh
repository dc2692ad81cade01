#!/usr/bin/env bash
# What Duplex costs a small computer such as a Raspberry Pi, estimated on this one:
#
#   bash benches/small_machine.sh agent [SECONDS, 60]    memory and instructions of `duplexctl agent`, as valgrind counts them
#   bash benches/small_machine.sh hub [SECONDS, 1260]    what a hub writes: idle, and at ten readings a second
#
# An instruction of this computer is taken for one of a Pi's. The kernel's are not counted, nor what a file system adds to
# what is written.
#   DUPLEXCTL=FILE   takes that program instead of building it
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
# A Raspberry Pi Zero 2 W: 1 GHz, and half an instruction a cycle, which is little for its Cortex-A53.
PI_PER_SECOND=500000000

what=${1:-}
case $what in
agent) seconds=${2:-60} ;;
hub) seconds=${2:-1260} ;;
*)
    sed -n '/^#   bash/s/^#   //p' "$0" >&2
    exit 2
    ;;
esac
if [ -z "${DUPLEXCTL:-}" ]; then
    cargo build --locked --release --bin duplexctl
    DUPLEXCTL=$target/release/duplexctl
fi
# Not in /tmp, which may be memory.
mkdir -p "$target"
data=$(mktemp -d "$target/small-machine.XXXXXX")
running=()
trap 'kill "${running[@]}" 2>/dev/null || true; wait; rm -rf "$data"' EXIT

line() { # FILE WORD: waits until the program has said it
    for _ in $(seq 1200); do
        grep -q "$2" "$1" 2>/dev/null && return
        sleep 0.05
    done
    echo "it never said: $2" >&2
    return 1
}
start_hub() { # NAME OPTION…: its address is in $url, its process in $hub
    local name=$1
    shift
    "$DUPLEXCTL" hub --listen 127.0.0.1:0 --data-dir "$data/$name" "$@" >"$data/$name.log" 2>&1 &
    hub=$!
    running+=("$hub")
    line "$data/$name.log" 'hub at'
    url=$(sed -n 's/^hub at //p' "$data/$name.log")
}
status() { awk -v name="$2:" '$1 == name { printf "%.1f", $2 / 1024 }' "/proc/$1/$3"; } # PID FIELD FILE: in MB

# instructions SECONDS: counts those of an agent that runs for that long, including its start.
instructions() {
    timeout --signal=INT "$1" valgrind --tool=callgrind --callgrind-out-file="$data/callgrind" "$DUPLEXCTL" agent --url "$url" \
        --data-dir "$data/hub" >"$data/valgrind.log" 2>&1 || true
    awk '$1 == "summary:" || $1 == "totals:" { print $2; exit }' "$data/callgrind"
}

measure_agent() {
    start_hub hub
    "$DUPLEXCTL" agent --url "$url" --data-dir "$data/hub" >"$data/agent.log" 2>&1 &
    local agent=$!
    running+=("$agent")
    line "$data/agent.log" online
    sleep "$seconds"
    printf 'the agent: %s MB of memory resident, %s MB of it its own (PSS)\n' \
        "$(status "$agent" VmRSS status)" "$(status "$agent" Pss smaps_rollup)"
    kill "$agent"
    # The start costs as much in both.
    local short long
    short=$(instructions "$seconds")
    long=$(instructions $((2 * seconds)))
    awk -v short="$short" -v long="$long" -v s="$seconds" -v pi="$PI_PER_SECOND" 'BEGIN {
        each = (long - short) / s
        printf "the agent: %.2f million instructions a second (%d s; its start: %.0f million), " \
            "%.2f %% of the core of a Pi Zero 2 by estimate\n", each / 1e6, s, (2 * short - long) / 1e6, each / pi * 100 }'
}

# ten URL TOKEN: publishes ten readings a second, for as long as it is let.
ten() {
    local n=0 body url=$1 token=$2
    while sleep 1; do
        n=$((n + 1))
        body=$(awk -v n="$n" 'BEGIN { printf "{"; for (i = 0; i < 10; i++) printf "%s\"m%d\": %.2f", i ? ", " : "", i, 20 + i + sin(n / 7 + i); printf "}" }')
        curl -s -o /dev/null -H "Authorization: Bearer $token" -d "$body" "$url"
    done
}
written() { awk '$1 == "write_bytes:" { print $2 }' "/proc/$1/io"; }
synced() { grep -cE '(fsync|fdatasync|sync_file_range|msync)\(' "$1" || true; }

measure_hub() { # NAME WORDS LOADED OPTION…
    local name=$1 words=$2 loaded=$3 hub url token before
    shift 3
    start_hub "$name" "$@"
    if [ "$loaded" = yes ]; then
        token=$("$DUPLEXCTL" device add ten --data-dir "$data/$name" 2>/dev/null)
        ten "$(sed "s/^ws/http/; s/.v1.socket$//" <<<"$url")/v1/devices/ten/readings" "$token" &
        running+=("$!")
    fi
    sleep 60 # its start, and the device's first readings
    strace -f -qq -e trace=fsync,fdatasync,sync_file_range,msync -p "$hub" -o "$data/$name.strace" &
    running+=("$!")
    before=$(written "$hub")
    sleep "$seconds"
    awk -v words="$words" -v bytes="$(($(written "$hub") - before))" -v syncs="$(synced "$data/$name.strace")" -v s="$seconds" 'BEGIN {
        printf "%-52s %8.2f MB and %6.0f flushes an hour (measured for %d s)\n", words, bytes / 1e6 * 3600 / s, syncs * 3600 / s, s }'
}

case $what in
agent) measure_agent ;;
hub)
    for word in 'idle|a hub where nothing happens|no' 'minute|at ten readings a second|yes' \
        'ten|the same with --write-readings-every 10m|yes|--write-readings-every 10m'; do
        IFS='|' read -r name words loaded options <<<"$word"
        # The options are words of our own. Each in a shell of its own, at the same time.
        # shellcheck disable=SC2086
        (running=() && trap 'kill "${running[@]}" 2>/dev/null || true' EXIT && measure_hub "$name" "$words" "$loaded" $options) &
    done
    wait
    ;;
esac
