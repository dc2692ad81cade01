# Shared by `run` and `soak`: sections with a title and the time they took; the first that fails ends the run.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-always}" CARGO_INCREMENTAL=0
exec </dev/null # nothing here may wait for a person

section_name=
section_start=0
trap 'report $?' EXIT

# section TITLE COMMAND...: runs it under its title. Not in a condition: `set -e` would be off inside.
section() {
    section_name=$1
    section_start=$SECONDS
    shift
    printf '\n━━━ %s: %s\n' "$section_name" "$*"
    "$@"
    printf '━━━ %s: passed, %s s (%s s in all)\n' "$section_name" "$((SECONDS - section_start))" "$SECONDS"
    section_name=
}

report() {
    if [ "$1" -ne 0 ] && [ -n "$section_name" ]; then
        printf '\n━━━ %s: FAILED (exit %s) after %s s\n' "$section_name" "$1" "$((SECONDS - section_start))" >&2
    elif [ "$1" -eq 0 ]; then
        printf '\n━━━ all passed, %s s\n' "$SECONDS"
    fi
}
