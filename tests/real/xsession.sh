#!/usr/bin/env bash
# A virtual desktop of its own for one command: Xvfb, openbox, a session bus and the accessibility bus, switched on as
# a screen reader would. All of it ends with the command, whose exit code it hands on.
#
#   tests/real/xsession.sh [:DISPLAY] COMMAND [ARGUMENT...]     without :DISPLAY the first free one
#   XSESSION_SIZE=800x600 tests/real/xsession.sh ...            another screen than 1280x800
set -euo pipefail

usage() {
    sed -n '/^#   /s/^#   //p' "$0" >&2
    exit 2
}

display=()
case ${1:-} in
:[0-9]*)
    display=("$1")
    shift
    ;;
esac
[ $# -gt 0 ] || usage

# shellcheck source=tests/real/session.sh
. "$(dirname "$0")/session.sh"

# wait_for WHAT LOG COMMAND...: until the command succeeds, at most ten seconds.
wait_for() {
    local what=$1 log=$2 tries=100
    shift 2
    until "$@" >/dev/null 2>&1; do
        if [ $((tries -= 1)) -eq 0 ]; then
            printf 'xsession: %s did not start\n' "$what" >&2
            cat "$log" >&2
            exit 1
        fi
        sleep 0.1
    done
}

# The display's number is written once the server takes connections.
Xvfb "${display[@]}" -displayfd 3 -screen 0 "${XSESSION_SIZE:-1280x800}x24" -nolisten tcp \
    3>"$work/display" >"$work/xvfb.log" 2>&1 &
pids+=($!)
wait_for Xvfb "$work/xvfb.log" grep -q . "$work/display"

DISPLAY=":$(<"$work/display")"
export DISPLAY XDG_SESSION_TYPE=x11 XDG_RUNTIME_DIR="$work/run"
unset WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS AT_SPI_BUS_ADDRESS NO_AT_BRIDGE
mkdir -m 700 "$XDG_RUNTIME_DIR"

openbox >"$work/openbox.log" 2>&1 &
pids+=($!)
wm_is_there() { xprop -root _NET_SUPPORTING_WM_CHECK | grep -q 'window id'; }
wait_for openbox "$work/openbox.log" wm_is_there

run_on_buses xsession "$@"
