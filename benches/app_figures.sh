#!/usr/bin/env bash
# Figures of the running app on a virtual desktop (llvmpipe, 1280×800): CPU until it is usable, memory beside a bare window
# of the same library, CPU and wake-ups while idle and online.
#
#   bash benches/app_figures.sh [SECONDS idle, 30]
set -euo pipefail
cd "$(dirname "$0")/.."
idle=${1:-30}
target=${CARGO_TARGET_DIR:-target}

cargo build --locked --release --bins
bare=$(cargo bench --locked --bench bare_window --no-run --message-format=json 2>/dev/null |
    sed -n 's/.*"executable":"\([^"]*bare_window[^"]*\)".*/\1/p' | tail -n 1)
[ -n "$bare" ] || { echo 'the bare window was not built' >&2; exit 1; }

measure() {
    local data ticks pid
    data=$(mktemp -d)
    trap 'kill "${pid:-}" "${bare_pid:-}" 2>/dev/null || true; rm -rf "$data"' EXIT
    ticks=$(getconf CLK_TCK)
    cpu() { awk -v t="$ticks" '{ sub(/.*\) /, ""); printf "%.2f", ($12 + $13) / t }' "/proc/$1/stat"; }
    rasterising() { # seconds of the threads that stand in for a graphics card
        grep -l llvmpipe /proc/"$1"/task/*/comm | while read -r comm; do cat "${comm%comm}stat"; done |
            awk -v t="$ticks" '{ sub(/.*\) /, ""); n += $12 + $13 } END { printf "%.2f", n / t }'
    }
    pss() { awk '/^Pss:/ { print int($2 / 1024) }' "/proc/$1/smaps_rollup"; }
    switches() { cat /proc/"$1"/task/*/status 2>/dev/null | awk '/^voluntary_ctxt/ { n += $2 } END { print n }'; }
    line() { # FILE WORD: waits until the program has said it
        for _ in $(seq 600); do
            grep -q "$2" "$1" && return
            sleep 0.05
        done
        echo "it never said: $2" >&2
        return 1
    }

    DUPLEX_BARE_WINDOW=1 "$BARE" >/dev/null 2>&1 &
    local bare_pid=$!
    for round in 1 2 3; do
        RUST_LOG=duplex=info "$DUPLEX" --data-dir "$data/start$round" 2>"$data/start$round.log" &
        pid=$!
        line "$data/start$round.log" 'first frame'
        echo "CPU from exec to the first frame: $(cpu "$pid") s$([ "$round" = 1 ] && echo ' (first start)')"
        line "$data/start$round.log" 'is online'
        echo "CPU from exec to online:          $(cpu "$pid") s"
        [ "$round" = 3 ] || { kill "$pid"; wait "$pid" || true; }
    done
    sleep 5 # what was built for the first frames is given back
    echo "memory (PSS) idle: duplex $(pss "$pid") MB, bare window $(pss "$bare_pid") MB," \
        "beyond it $(($(pss "$pid") - $(pss "$bare_pid"))) MB"
    local cpu_before raster_before switches_before
    cpu_before=$(cpu "$pid")
    raster_before=$(rasterising "$pid")
    switches_before=$(switches "$pid")
    sleep "$IDLE"
    awk -v a="$cpu_before" -v b="$(cpu "$pid")" -v s="$IDLE" -v x="$switches_before" -v y="$(switches "$pid")" \
        -v c="$raster_before" -v d="$(rasterising "$pid")" \
        'BEGIN { printf "online for %d s, this computer'"'"'s readings on screen: CPU %.2f %% without rasterising (%.2f %% with), %.1f wake-ups a second\n", s, (b - a - d + c) / s * 100, (b - a) / s * 100, (y - x) / s }'
    kill "$pid" "$bare_pid"
}

export BARE=$bare DUPLEX=$target/release/duplex IDLE=$idle
export -f measure
bash tests/real/xsession.sh bash -c measure
