#!/usr/bin/env bash
# The window under readings by the thousand, on a virtual desktop (llvmpipe, 1280×800): keys, frames, CPU, memory, and
# whether every reading is accounted for. The hub and the devices are processes of their own.
#
#   bash benches/device_figures.sh [RATE...]        readings a second; 100 1000 20000 40000 unless told
#   SECONDS_EACH=60 bash benches/device_figures.sh  how long each
#   KEYS=0 bash benches/device_figures.sh           nobody types: what the readings alone cost
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}

cargo build --locked --release --bins
load=$(cargo bench --locked --bench device_load --no-run --message-format=json 2>/dev/null |
    sed -n 's/.*"executable":"\([^"]*device_load[^"]*\)".*/\1/p' | tail -n 1)
[ -n "$load" ] || { echo 'the load was not built' >&2; exit 1; }
bash tests/real/xsession.sh /usr/bin/python3 benches/device_figures.py \
    "$target/release/duplex" "$target/release/duplexctl" "$load" "$@"
