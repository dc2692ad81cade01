# The life of the .deb packages in a Debian tree: installed, started, upgraded, removed, purged; to be sourced after trees.sh.
# shellcheck shell=sh disable=SC2317,SC2154 # functions are called by name, through prove; $tree and $layer are of trees.sh

OLD=0.0.9 # older than any version there was

deb_of() { printf '%s/%s_%s_%s.deb' "$1" "$2" "$3" "$ARCH"; }

# lint: what lintian says of the packages; no errors.
lint() {
    for package in $OUR_PROGRAMS; do
        lintian --fail-on error --tag-display-limit 0 --allow-root "$(deb_of "$PACKAGES" "$package" "$VERSION")" || return 1
    done
}

# make_old: the same trees of files as an older version, in target/packages/verify/old, without building the programs again.
make_old() {
    old=$PACKAGES/verify/old
    mkdir -p "$old" "$WORK/unpacked"
    for package in $OUR_PROGRAMS; do
        rm -rf "$WORK/unpacked/$package"
        dpkg-deb --raw-extract "$(deb_of "$PACKAGES" "$package" "$VERSION")" "$WORK/unpacked/$package"
        sed -i "s/^Version: .*/Version: $OLD/" "$WORK/unpacked/$package/DEBIAN/control"
        # A file that the new version does not have: an upgrade removes it.
        touch "$WORK/unpacked/$package/usr/share/doc/$package/old"
        dpkg-deb --root-owner-group -Zgzip -z1 --build "$WORK/unpacked/$package" "$(deb_of "$old" "$package" "$OLD")"
    done
}

# install_debs FOLDER VERSION: as apt does it, from the folder of packages as the tree sees it.
install_debs() {
    debs=
    for package in $OUR_PROGRAMS; do
        debs="$debs $(deb_of "$1" "$package" "$2")"
    done
    # Paths without spaces of their own.
    # shellcheck disable=SC2086
    in_tree apt-get install -y -q $debs
}

# starts NAME: starts the app as a person would, and looks at its window.
starts() {
    picture=$PACKAGES/verify/$1.png
    in_tree chroot --userspec=1000:1000 / env HOME=/home/tester "$NAME" >&2 &
    app=$!
    # Its class is what the menu's entry calls StartupWMClass.
    window_is_there() { xwininfo -root -tree | grep -q ": (\"[^\"]*\" \"$NAME\")"; }
    until_true $((120 * PATIENCE)) 'the window' window_is_there
    drawn() {
        import -window root "$picture"
        [ "$(identify -format %k "$picture")" -gt 200 ]
    }
    until_true $((60 * PATIENCE)) 'something in the window' drawn
    # Its own hub and this computer as a device take a moment; the picture is for people.
    sleep $((5 * PATIENCE))
    import -window root "$picture"
    # Killed without a word: what it had is on disk all the same.
    pkill -KILL -P "$app" # unshare, and with it all that it started
    wait "$app" || true
    data=$tree/home/tester/.local/share/duplex
    [ -s "$data/client.db" ] && [ -s "$data/hub.db" ]
}

# hub_does COMMAND…: runs the command beside a hub on the data directory of the service, whose address is $HUB in it.
hub_does() {
    # shellcheck disable=SC2016 # expanded by the inner shell
    in_tree env "HUB=127.0.0.1:$(free_port)" "TRIES=$((300 * PATIENCE))" sh -c '
        data=/var/lib/duplex
        duplexctl hub --listen "$HUB" --data-dir $data >/tmp/hub.log 2>&1 &
        hub=$!
        until grep -q "hub at" /tmp/hub.log; do
            TRIES=$((TRIES - 1))
            [ $TRIES -gt 0 ] && kill -0 $hub || { cat /tmp/hub.log; exit 1; }
            sleep 0.1
        done
        sh -c "$1" hub_does "$2"
        code=$?
        kill $hub
        wait $hub || code=$?
        exit $code' hub_does "$@"
}
# shellcheck disable=SC2016 # expanded in the tree
say_it() { hub_does 'duplexctl send "ws://$HUB" --data-dir /var/lib/duplex --room general --timeout 120s "$1"' "$1"; }
# shellcheck disable=SC2016
is_there() {
    hub_does 'duplexctl tail "ws://$HUB" --data-dir /var/lib/duplex --since 0 --count 1 --no-readings' '' | grep -F "$1"
}

# begin_life SUITE: a fresh tree with all that the packages need, so that afterwards nothing but theirs is missing.
begin_life() {
    open_tree "$1" "deb-$1-$ARCH"
    trap 'close_tree "$layer"; close_display' EXIT
    open_display
    in_tree apt-get update -q >&2
    wanted=
    for package in $OUR_PROGRAMS; do
        for field in Depends Recommends; do
            wanted="$wanted${wanted:+, }$(dpkg-deb --field "$(deb_of "$PACKAGES" "$package" "$VERSION")" "$field")"
        done
    done
    in_tree apt-get satisfy -y -q --no-install-recommends "$wanted" >&2
    in_tree useradd --create-home --uid 1000 tester >&2
    before=$layer/before after=$layer/after
    files_in_tree >"$before"
}

# live LABEL: from the first installation to the upgrade.
live() {
    prove "$1: install" 'as apt does it, with what it needs' install_debs /packages/verify/old "$OLD"
    if has_app; then
        prove "$1: the app starts" "target/packages/verify/$1.png" starts "$1"
    fi
    prove "$1: the hub takes a message" 'on disk' say_it 'said before the upgrade'
    printf '# by the administrator\n' >>"$tree/etc/duplex/hub.conf"
    prove "$1: upgrade from $OLD" "to $VERSION" install_debs /packages "$VERSION"
    prove "$1: what was old is gone" 'a file of the old version' test ! -e "$tree/usr/share/doc/${NAME}ctl/old"
    prove "$1: the hub kept its message" 'read back after the upgrade' is_there 'said before the upgrade'
    prove "$1: settings kept" '/etc/duplex/hub.conf' grep -q 'by the administrator' "$tree/etc/duplex/hub.conf"
    if has_app; then
        prove "$1: the app starts on old data" "target/packages/verify/$1-upgraded.png" starts "$1-upgraded"
    fi
    prove "$1: services wait to be asked" 'none is enabled' \
        test -z "$(find "$tree/etc/systemd" -name 'duplex*' 2>/dev/null)"
}

# end_life LABEL: removed, purged, and nothing left.
end_life() {
    # Names of packages.
    # shellcheck disable=SC2086
    in_tree dpkg --remove $OUR_PROGRAMS >&2
    prove "$1: removed, data kept" '/var/lib/duplex' test -s "$tree/var/lib/duplex/hub.db"
    # shellcheck disable=SC2086
    in_tree dpkg --purge $OUR_PROGRAMS >&2
    # A person's data is theirs.
    rm -rf "$tree/home/tester/.local" "$tree/home/tester/.cache" "$tree/home/tester/.config"
    files_in_tree >"$after"
    prove "$1: purge leaves nothing" "$(wc -l <"$after") files and folders as before" diff "$before" "$after"
    close_tree "$layer"
    close_display
    trap - EXIT
}
