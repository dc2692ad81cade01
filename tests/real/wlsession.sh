#!/usr/bin/env bash
# A Wayland desktop of its own for one command: sway without a screen, a session bus and the accessibility bus, switched
# on as a screen reader would. All of it ends with the command, whose exit code it hands on.
#
#   tests/real/wlsession.sh COMMAND [ARGUMENT...]
#   WLSESSION_SIZE=800x600 tests/real/wlsession.sh ...       another screen than 1280x800
set -euo pipefail
[ $# -gt 0 ] || {
    sed -n '/^#   /s/^#   //p' "$0" >&2
    exit 2
}

# shellcheck source=tests/real/session.sh
. "$(dirname "$0")/session.sh"

unset DISPLAY WAYLAND_DISPLAY SWAYSOCK DBUS_SESSION_BUS_ADDRESS AT_SPI_BUS_ADDRESS NO_AT_BRIDGE
chmod 755 "$work"
mkdir -m 700 "$work/sway" "$work/run"
cat >"$work/config" <<END
output * resolution ${WLSESSION_SIZE:-1280x800}
default_border none
focus_follows_mouse no
xwayland disable
seat * hide_cursor 0
END

# sway refuses to run as root: then it alone runs as nobody.
as_user=()
if [ "$(id -u)" -eq 0 ]; then
    as_user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    chown 65534:65534 "$work/sway"
fi
"${as_user[@]}" env HOME="$work/sway" XDG_RUNTIME_DIR="$work/sway" WLR_BACKENDS=headless WLR_RENDERER=pixman \
    WLR_LIBINPUT_NO_DEVICES=1 sway -c "$work/config" >"$work/sway.log" 2>&1 &
pids+=($!)
tries=100
until socket=$(find "$work/sway" -name 'wayland-?' -type s 2>/dev/null | grep .) &&
    SWAYSOCK=$(find "$work/sway" -name 'sway-ipc.*' -type s 2>/dev/null | grep .); do
    if [ $((tries -= 1)) -eq 0 ]; then
        printf 'wlsession: sway did not start\n' >&2
        cat "$work/sway.log" >&2
        exit 1
    fi
    sleep 0.1
done
# By a name without a path, since ibus makes a file's name of it.
ln -s "$socket" "$work/run/${socket##*/}"
export SWAYSOCK WAYLAND_DISPLAY="${socket##*/}" XDG_RUNTIME_DIR="$work/run" XDG_SESSION_TYPE=wayland XDG_CURRENT_DESKTOP=sway

run_on_buses wlsession "$@"
