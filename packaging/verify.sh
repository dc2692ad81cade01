#!/bin/sh
# Proves the packages: builds what is missing and installs, starts, upgrades and removes it where it may break nothing.
# For a night or a release; needs root (for the trees it installs into) and `sh packaging/setup.sh --packaging`.
#
#   sh packaging/verify.sh            all proofs
#   sh packaging/verify.sh NAME…      some: the names of packaging/verify/*.sh
#
# One line a proof: PASS, FAIL, or SKIP with the reason. Logs and screenshots are in target/packages/verify/.
set -eu
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/lib.sh"

results=$PACKAGES/verify
mkdir -p "$results"
if [ $# -eq 0 ]; then
    for script in packaging/verify/*.sh; do
        name=${script##*/}
        set -- "$@" "${name%.sh}"
    done
fi

lines=$results/results.txt
: >"$lines"
for name in "$@"; do
    script=packaging/verify/$name.sh
    [ -e "$script" ] || stop "there is no $script"
    log=$results/$name.log
    start=$(date +%s)
    {
        # A proof that ends early has not proved the rest.
        sh "$script" 2>"$log" || fail "$name" "ended early; see ${log#"$ROOT"/}"
    } | tee -a "$lines"
    echo "      $name: $(($(date +%s) - start)) s"
done

count() { grep -c "^$1 " "$lines" || true; }
failed=$(count FAIL)
printf '%s passed, %s failed, %s skipped\n' "$(count PASS)" "$failed" "$(count SKIP)"
[ "$failed" -eq 0 ]
