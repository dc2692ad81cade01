# What xsession.sh and wlsession.sh share; they source it. `work` is a directory of their own, and what stands in `pids`
# ends with them.
# shellcheck shell=bash
work=$(mktemp -d)
pids=()
clean_up() {
    local pid
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait "${pids[@]}" 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
export LIBGL_ALWAYS_SOFTWARE=1 # llvmpipe, the same on every machine

# run_on_buses NAME COMMAND...: runs the command with a session bus and the accessibility bus, and hands on its exit code.
# Setting the properties starts the accessibility bus; programs that start later see a screen reader from the first frame.
# The command keeps this script's output (4) and errors (5); what the buses say goes to a log.
run_on_buses() {
    local session
    # shellcheck disable=SC2016 # expanded by the inner shell
    dbus-run-session -- bash -c '
        set -euo pipefail
        for property in IsEnabled ScreenReaderEnabled; do
            dbus-send --session --print-reply --dest=org.a11y.Bus /org/a11y/bus org.freedesktop.DBus.Properties.Set \
                string:org.a11y.Status "string:$property" variant:boolean:true >/dev/null
        done
        exec "$@" >&4 2>&5 4>&- 5>&-' "$@" 4>&1 5>&2 >"$work/dbus.log" 2>&1 &
    session=$!
    pids+=("$session")
    wait "$session"
}
