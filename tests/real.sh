#!/usr/bin/env bash
# Runs the tests against real programs, real processes and a real (virtual) desktop:
#
#   bash tests/real.sh                 all of tests/real/*.sh and *.py; those with a desktop beside those without
#   bash tests/real.sh desktop.py      these only, with their output as it comes
#
# A test is a script that exits 0 when it passed. It gets:
#   DUPLEX, DUPLEXCTL   the two programs, just built
#   REAL_DIR            an empty directory of its own; kept under target/real/NAME, with its output in output.log
# A test named desktop* runs on a virtual desktop of its own (xsession.sh), one named wayland* on one of Wayland
# (wlsession.sh).
#   REAL_PROFILE=release    builds and tests that profile (dev)
#   REAL_TIMEOUT=SECONDS    how long a test may take (900)
set -euo pipefail
cd "$(dirname "$0")/.."
repository=$PWD

helpers=' session.sh xsession.sh wlsession.sh drive.py hands.py korean.py tray_host.py plain_servers.py socketio_server.py rabbit.py mosquitto.py ' # not tests themselves
# A run without these has not tested what it says.
required=(agent.sh files.sh health.sh service.sh scripts.sh desktop.py desktop_access.py desktop_devices.py desktop_hangul.py desktop_keyring.py desktop_lan.py
    desktop_notify.py desktop_plain.py desktop_search.py desktop_socketio.py haproxy.py mqtt.py plain.py proxies.py routes.py socket_io.py stomp.py stomp_rounds.py transport.py
    wayland.py wayland_hangul.py)
timeout=${REAL_TIMEOUT:-900}
profile=${REAL_PROFILE:-dev}
target=${CARGO_TARGET_DIR:-target}
results=$target/real
outcomes=$results/outcomes # a line for each test: PASS or FAIL, and its name

# One result line. REASON is empty for a test that passed.
result() {
    local name=$1 seconds=$2 reason=$3
    if [ -z "$reason" ]; then
        printf 'PASS %s\n' "$name" >>"$outcomes"
        printf 'PASS  %-28s %4s s\n' "$name" "$seconds"
    else
        printf 'FAIL %s\n' "$name" >>"$outcomes"
        printf 'FAIL  %-28s %4s s  %s\n' "$name" "$seconds" "$reason"
    fi
}

run_test() {
    local name=$1 script=$repository/tests/real/$1 start=$SECONDS code=0
    local log=$results/$name/output.log
    if [ ! -e "$script" ]; then
        result "$name" 0 'tests/real has no such script'
        return
    fi
    local command=()
    case $name in
    desktop*) command+=("$repository/tests/real/xsession.sh") ;;
    wayland*) command+=("$repository/tests/real/wlsession.sh") ;;
    esac
    case $name in
    *.py) command+=(/usr/bin/python3) ;; # the system's: it has pyatspi
    *) command+=(bash) ;;
    esac
    command+=("$script")

    rm -rf "${results:?}/$name"
    mkdir -p "$results/$name/work"
    REAL_DIR=$(realpath "$results/$name/work")
    export REAL_DIR
    if [ "$show" -eq 1 ]; then
        timeout --kill-after=10 "$timeout" "${command[@]}" </dev/null 2>&1 | tee "$log" || code=${PIPESTATUS[0]}
    else
        # Without a pipe: what a failed test leaves running would hold it open.
        timeout --kill-after=10 "$timeout" "${command[@]}" </dev/null >"$log" 2>&1 || code=$?
    fi
    case $code in
    0) result "$name" $((SECONDS - start)) '' ;;
    124 | 137) result "$name" $((SECONDS - start)) "not done after $timeout s; $log" ;;
    *) result "$name" $((SECONDS - start)) "exit $code; $log" ;;
    esac
    if [ "$code" -ne 0 ] && [ "$show" -ne 1 ]; then
        tail -n 60 "$log" | sed 's/^/      /'
    fi
}

run_tests() {
    local name
    for name in "$@"; do run_test "$name"; done
}

# With a test beside them, the libraries are those that the tests were built with; alone, many are compiled once more.
cargo build --locked --bins --test scripts --profile "$profile"
case $profile in dev) built=debug ;; *) built=$profile ;; esac
DUPLEX=$(realpath "$target/$built/duplex")
DUPLEXCTL=$(realpath "$target/$built/duplexctl")
export DUPLEX DUPLEXCTL PYTHONDONTWRITEBYTECODE=1

mkdir -p "$results"
: >"$outcomes"

show=0
if [ $# -gt 0 ]; then
    show=1
    run_tests "$@"
else
    with_desktop=()
    without_desktop=()
    add() {
        case $1 in
        desktop* | wayland*) with_desktop+=("$1") ;;
        *) without_desktop+=("$1") ;;
        esac
    }
    for script in tests/real/*.sh tests/real/*.py; do
        name=${script##*/}
        case $helpers in *" $name "*) continue ;; esac
        [ -e "$script" ] && add "$name"
    done
    for name in "${required[@]}"; do
        [ -e "tests/real/$name" ] || add "$name"
    done
    # Most of their time they wait: for a window to be drawn, a link to be tried again, a server to start.
    run_tests "${without_desktop[@]}" &
    run_tests "${with_desktop[@]}"
    wait
fi

passed=$(grep -c '^PASS' "$outcomes" || true)
failed=$(grep -c '^FAIL' "$outcomes" || true)
printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
