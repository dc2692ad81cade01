#!/bin/sh
# The services, run by a real systemd in a Debian 12 tree that is booted for it: the hub under its own user, the agent that
# `agent install` sets up, whose readings arrive, an invite made by root, a restart with the data kept, and a purge.
# shellcheck disable=SC2317,SC2016 # functions are called by name, through prove; '$' is for the shell in the tree
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=packaging/linux/arch.sh
. packaging/linux/arch.sh
# shellcheck source=packaging/linux/trees.sh
. packaging/linux/trees.sh

can_make_trees 'services: run by systemd' || exit 0
need systemd-nspawn nsenter
deb=$PACKAGES/${NAME}ctl_${VERSION}_$ARCH.deb
if [ ! -e "$deb" ]; then
    sh packaging/build.sh deb >&2
fi

# A tree's overlay is left by systemd-nspawn; what is mounted in it must not be there at boot.
open_tree bookworm services
machine=
init=
end() {
    [ -z "$init" ] || kill -s RTMIN+4 "$init" 2>/dev/null || true # power off
    [ -z "$machine" ] || wait "$machine" || true
    close_tree "$layer"
}
trap end EXIT
in_tree apt-get update -q >&2
in_tree apt-get install -y -q --no-install-recommends systemd systemd-sysv dbus libnss-systemd >&2
install_it() { in_tree apt-get install -y -q --no-install-recommends "/packages/${deb##*/}"; }
prove 'services: install' 'without recommended packages: no desktop library' install_it
no_desktop() { ! in_tree dpkg-query --list 'libx11*' 'libgl1*' 'libwayland*' | grep -q '^ii'; }
prove 'services: a server stays one' 'no library of a desktop came with it' no_desktop
umount "$tree/packages" "$tree/tmp/.X11-unix"
# It was for packages that start services while nothing runs.
rm "$tree/usr/sbin/policy-rc.d"

systemd-nspawn --quiet --register=no --keep-unit --boot --link-journal=no --console=pipe --directory="$tree" >&2 </dev/null &
machine=$!
find_init() {
    init=$(pgrep -P "$machine" -f systemd | head -n 1)
    [ -n "$init" ]
}
tries=100
until find_init; do
    if ! kill -0 "$machine" 2>/dev/null || [ $((tries -= 1)) -eq 0 ]; then
        machine='' init=''
        skip 'services: run by systemd' 'systemd-nspawn cannot boot a tree on this system; see the log'
        exit 0
    fi
    sleep 0.2
done
inside() { timeout 120 nsenter --target "$init" --mount --uts --ipc --net --pid env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "$@"; }
until_true 120 'systemd' inside sh -c 'systemctl is-system-running | grep -qE "running|degraded"'

hub_starts() {
    inside sh -c '
        ! systemctl is-active --quiet duplex-hub &&
            systemctl start duplex-hub && systemctl is-active duplex-hub &&
            systemctl show --property User,MainPID,NotifyAccess duplex-hub &&
            [ "$(stat -c %U "/proc/$(systemctl show --property MainPID --value duplex-hub)")" = duplex-hub ]'
}
prove 'services: the hub starts' 'as user duplex-hub, once it serves' hub_starts
prove 'services: root invites' 'duplexctl invite --data-dir /var/lib/duplex' \
    inside sh -c 'duplexctl invite --data-dir /var/lib/duplex | grep "#invite="'
token_here=/root/box.token
install_agent() {
    inside sh -c "
        duplexctl agent install --url ws://127.0.0.1:7870 --name 'The box' --service box <$token_here &&
            [ \"\$(stat -c '%a %U' /etc/duplex/agent-box.conf)\" = '600 root' ] &&
            systemctl is-active duplex-agent@box && systemctl is-enabled duplex-agent@box"
}
inside sh -c "umask 077; duplexctl device add box --data-dir /var/lib/duplex >$token_here" >&2
prove 'services: agent install' 'settings for root alone; running and enabled' install_agent
agent_reports() {
    inside sh -c '
        timeout 60 duplexctl tail ws://127.0.0.1:7870 --data-dir /var/lib/duplex --device box --no-messages --json |
            grep -m 1 "\"metric\":\"memory\".*\"name\":\"The box\""'
}
prove 'services: an agent reports' "this computer's memory, to the hub" agent_reports
uninstall_agent() {
    inside sh -c '
        duplexctl agent uninstall --service box && ! systemctl is-active duplex-agent@box &&
            [ -z "$(find /etc -name "*duplex-agent*" -o -name "agent-box*")" ]'
}
prove 'services: agent uninstall' 'stopped; settings and links gone' uninstall_agent
prove 'services: agent install again' 'for the purge to find' install_agent
missing_settings() { ! inside systemctl start duplex-agent@nobody; }
prove 'services: an agent without settings' 'is refused by systemd' missing_settings
keeps() {
    inside sh -c '
        duplexctl send ws://127.0.0.1:7870 --data-dir /var/lib/duplex --room general "before the restart" &&
            systemctl stop duplex-hub && [ "$(systemctl show --property Result --value duplex-hub)" = success ] &&
            duplexctl invite --data-dir /var/lib/duplex --url wss://hub.example >/dev/null &&
            systemctl start duplex-hub &&
            duplexctl tail ws://127.0.0.1:7870 --data-dir /var/lib/duplex --since 0 --count 1 --no-readings |
            grep "before the restart"'
}
prove 'services: a clean stop, data kept' 'though root wrote to it in between' keeps
purge() {
    inside sh -c '
        systemctl enable duplex-hub && dpkg --purge duplexctl &&
            ! systemctl is-active duplex-hub duplex-agent@box &&
            [ -z "$(find /etc /var/lib /usr -name "*duplex*" ! -path "/var/lib/dpkg/*")" ]'
}
prove 'services: purge' 'stopped; no data, settings or links left' purge
