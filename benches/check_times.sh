#!/usr/bin/env bash
# Prints how long `cargo check` takes after one file of `ui` and one of `wire` was touched, in seconds: the median of RUNS
# (3) each. What it needs is built first. Arguments go to `cargo check`: for instance --all-targets.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${RUNS:-3}

check() { cargo check --quiet --locked "$@"; }

for file in src/ui/chat/list.rs src/wire/duplex/message.rs; do
    [ -f "$file" ] || { echo "$0: there is no $file" >&2; exit 1; }
    check "$@"
    for ((run = 0; run < runs; run++)); do
        touch "$file"
        begun=$(date +%s%N)
        check "$@"
        echo $((($(date +%s%N) - begun) / 1000000))
    done | sort -n | awk -v file="$file" '{ ms[NR] = $1 } END { printf "%s: %.1f s\n", file, ms[int((NR + 1) / 2)] / 1000 }'
done
