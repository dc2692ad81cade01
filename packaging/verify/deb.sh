#!/bin/sh
# The .deb packages: lintian; and in a fresh Debian 12 and a Debian 11 tree (glibc 2.36 and 2.31): install, start the
# app on a virtual display, run the hub, upgrade from an older version with data kept, remove, purge with nothing left.
# shellcheck disable=SC2317 # functions are called by name, through prove
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=packaging/linux/trees.sh
. packaging/linux/trees.sh

results=$PACKAGES/verify
OLD=0.0.9 # older than any version there was
packages="$NAME ${NAME}ctl"

deb_of() { printf '%s/%s_%s_amd64.deb' "$1" "$2" "$3"; }

if [ ! -e "$(deb_of "$PACKAGES" "$NAME" "$VERSION")" ]; then
    sh packaging/build.sh deb >&2
fi

# The size people download, and what it takes on disk.
for package in $packages; do
    file=$(deb_of "$PACKAGES" "$package" "$VERSION")
    size=$(wc -c <"$file")
    installed=$(dpkg-deb --field "$file" Installed-Size)
    detail="$(size_of "$file"), $((installed / 1000)) MB installed (aim: under 12, 30)"
    prove "deb: size of $package" "$detail" test "$size" -lt 12000000 -a "$installed" -lt 30000
done

lint() {
    lintian --fail-on error --tag-display-limit 0 --allow-root "$@"
}
# shellcheck disable=SC2046 # two paths without spaces of their own
prove 'deb: lintian' 'no errors' lint "$(deb_of "$PACKAGES" "$NAME" "$VERSION")" \
    "$(deb_of "$PACKAGES" "${NAME}ctl" "$VERSION")"

can_make_trees 'deb: in a Debian tree' || exit 0

# The same trees of files as an older version, without building the programs again.
old=$PACKAGES/verify/old
mkdir -p "$old"
make_old() {
    mkdir -p "$WORK/unpacked"
    for package in $packages; do
        rm -rf "$WORK/unpacked/$package"
        dpkg-deb --raw-extract "$(deb_of "$PACKAGES" "$package" "$VERSION")" "$WORK/unpacked/$package"
        sed -i "s/^Version: .*/Version: $OLD/" "$WORK/unpacked/$package/DEBIAN/control"
        # A file that the new version does not have: an upgrade removes it.
        touch "$WORK/unpacked/$package/usr/share/doc/$package/old"
        dpkg-deb --root-owner-group -Zgzip -z1 --build "$WORK/unpacked/$package" "$(deb_of "$old" "$package" "$OLD")"
    done
}
make_old >&2

apt_install() {
    in_tree apt-get install -y -q "$@"
}

# Starts the app as a person would, and looks at its window.
starts() {
    picture=$results/$1.png
    in_tree chroot --userspec=1000:1000 / env HOME=/home/tester "$NAME" >&2 &
    app=$!
    # Its class is what the menu's entry calls StartupWMClass.
    window_is_there() { xwininfo -root -tree | grep -q ": (\"[^\"]*\" \"$NAME\")"; }
    until_true 120 'the window' window_is_there
    drawn() {
        import -window root "$picture"
        [ "$(identify -format %k "$picture")" -gt 200 ]
    }
    until_true 60 'something in the window' drawn
    # Its own hub and this computer as a device take a moment; the picture is for people.
    sleep 5
    import -window root "$picture"
    # Killed without a word: what it had is on disk all the same.
    pkill -KILL -P "$app" # unshare, and with it all that it started
    wait "$app" || true
    data=$tree/home/tester/.local/share/duplex
    [ -s "$data/client.db" ] && [ -s "$data/hub.db" ]
}

# hub_does COMMAND…: runs the command beside a hub on the data directory of the service.
hub_does() {
    # shellcheck disable=SC2016 # expanded by the inner shell
    in_tree sh -c '
        data=/var/lib/duplex
        duplexctl hub --data-dir $data >/tmp/hub.log 2>&1 &
        hub=$!
        tries=300
        until grep -q "hub at" /tmp/hub.log; do
            tries=$((tries - 1))
            [ $tries -gt 0 ] || { cat /tmp/hub.log; exit 1; }
            sleep 0.1
        done
        "$@"
        code=$?
        kill $hub
        wait $hub || code=$?
        exit $code' hub_does "$@"
}
say_it() { hub_does duplexctl send ws://127.0.0.1:7870 --data-dir /var/lib/duplex --room general "$1"; }
is_there() {
    hub_does duplexctl tail ws://127.0.0.1:7870 --data-dir /var/lib/duplex --since 0 --count 1 --no-readings | grep -F "$1"
}

# The whole life of both packages in one tree.
life() {
    suite=$1 label=$2
    open_tree "$suite" "deb-$suite"
    trap 'close_tree "$layer"; close_display' EXIT
    open_display
    in_tree apt-get update -q >&2
    # What they need comes first, so that afterwards nothing but theirs is missing.
    wanted=
    for package in $packages; do
        for field in Depends Recommends; do
            wanted="$wanted${wanted:+, }$(dpkg-deb --field "$(deb_of "$PACKAGES" "$package" "$VERSION")" "$field")"
        done
    done
    in_tree apt-get satisfy -y -q --no-install-recommends "$wanted" >&2
    in_tree useradd --create-home --uid 1000 tester >&2
    before=$layer/before after=$layer/after
    files_in_tree >"$before"

    prove "$label: install" 'as apt does it, with what it needs' \
        apt_install "/packages/verify/old/${NAME}_${OLD}_amd64.deb" "/packages/verify/old/${NAME}ctl_${OLD}_amd64.deb"
    prove "$label: the app starts" "target/packages/verify/$label.png" starts "$label"
    prove "$label: the hub takes a message" 'on disk' say_it 'said before the upgrade'
    printf '# by the administrator\n' >>"$tree/etc/duplex/hub.conf"
    prove "$label: upgrade from $OLD" "to $VERSION" \
        apt_install "/packages/${NAME}_${VERSION}_amd64.deb" "/packages/${NAME}ctl_${VERSION}_amd64.deb"
    prove "$label: what was old is gone" 'a file of the old version' test ! -e "$tree/usr/share/doc/$NAME/old"
    prove "$label: the hub kept its message" 'read back after the upgrade' is_there 'said before the upgrade'
    prove "$label: settings kept" '/etc/duplex/hub.conf' grep -q 'by the administrator' "$tree/etc/duplex/hub.conf"
    prove "$label: the app starts on old data" "target/packages/verify/$label-upgraded.png" starts "$label-upgraded"
    prove "$label: services wait to be asked" 'none is enabled' \
        test -z "$(find "$tree/etc/systemd" -name 'duplex*' 2>/dev/null)"
    in_tree dpkg --remove "$NAME" "${NAME}ctl" >&2
    prove "$label: removed, data kept" '/var/lib/duplex' test -s "$tree/var/lib/duplex/hub.db"
    in_tree dpkg --purge "$NAME" "${NAME}ctl" >&2
    # A person's data is theirs.
    rm -rf "$tree/home/tester/.local" "$tree/home/tester/.cache" "$tree/home/tester/.config"
    files_in_tree >"$after"
    prove "$label: purge leaves nothing" "$(wc -l <"$after") files and folders as before" diff "$before" "$after"
    close_tree "$layer"
    close_display
    trap - EXIT
}
life bookworm debian-12
life bullseye debian-11
