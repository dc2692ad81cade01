#!/bin/sh
# The services: understood by systemd, and how exposed it calls them.
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"

said=$(sh packaging/linux/units.sh "$WORK/units" 2>&1) || {
    fail 'units' "$said"
    exit 0
}
printf '%s\n' "$said" | while IFS= read -r line; do
    line=${line#*: }
    pass "units: ${line%%:*}" "systemd-analyze verify; security ${line#*; } (0 best, 10 worst)"
done
