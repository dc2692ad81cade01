#!/usr/bin/env bash
# What it costs to be a device: CPU and memory of `duplexctl agent` at one reading of everything a second.
#
#   bash benches/agent_figures.sh [SECONDS, 30]
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-30}
target=${CARGO_TARGET_DIR:-target}

cargo build --locked --release --bin duplexctl
ctl=$target/release/duplexctl
data=$(mktemp -d)
hub='' agent=''
trap 'kill $hub $agent 2>/dev/null || true; rm -rf "$data"' EXIT
ticks=$(getconf CLK_TCK)
cpu() { awk -v t="$ticks" '{ sub(/.*\) /, ""); printf "%.2f", ($12 + $13) / t }' "/proc/$1/stat"; }
pss() { awk '/^Pss:/ { printf "%.1f", $2 / 1024 }' "/proc/$1/smaps_rollup"; }
switches() { cat /proc/"$1"/task/*/status | awk '/^voluntary_ctxt/ { n += $2 } END { print n }'; }
line() { # FILE WORD: waits until the program has said it
    for _ in $(seq 200); do
        grep -q "$2" "$1" && return
        sleep 0.05
    done
    echo "it never said: $2" >&2
    return 1
}

"$ctl" hub --listen 127.0.0.1:0 --data-dir "$data" >"$data/hub.log" 2>&1 &
hub=$!
line "$data/hub.log" 'hub at'
"$ctl" agent --url "$(sed -n 's/^hub at //p' "$data/hub.log")" --data-dir "$data" >"$data/agent.log" 2>&1 &
agent=$!
line "$data/agent.log" online
sleep 3 # the first look at everything is over
cpu_before=$(cpu "$agent") switches_before=$(switches "$agent")
sleep "$seconds"
awk -v a="$cpu_before" -v b="$(cpu "$agent")" -v s="$seconds" -v x="$switches_before" -v y="$(switches "$agent")" \
    -v m="$(pss "$agent")" 'BEGIN {
        printf "the agent for %d s: CPU %.2f %% of a core, %.1f wake-ups a second, memory (PSS) %s MB\n",
            s, (b - a) / s * 100, (y - x) / s, m }'
