#!/bin/sh
# The proofs of verify/arm.sh for one architecture, $PACKAGE_ARCH.
# shellcheck disable=SC2317,SC2016 # functions are called by name, through prove; '$' is for the shell in the tree
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=packaging/linux/arch.sh
. packaging/linux/arch.sh
# shellcheck source=packaging/linux/trees.sh
. packaging/linux/trees.sh
# shellcheck source=packaging/linux/life.sh
. packaging/linux/life.sh
need dpkg-deb readelf

program=${NAME}ctl
tarball=$PACKAGES/$NAME-$VERSION-linux-$MACHINE.tar.xz
rpm=$PACKAGES/$program-$VERSION-1.$MACHINE.rpm
image=$PACKAGES/$program-$VERSION-container-$MACHINE.tar
[ -e "$(deb_of "$PACKAGES" "$program" "$VERSION")" ] || sh packaging/build.sh deb >&2
[ -e "$tarball" ] || sh packaging/build.sh tar >&2
[ -e "$rpm" ] || [ "$ARCH" = armhf ] || sh packaging/build.sh rpm >&2
[ -e "$image" ] || sh packaging/build.sh container >&2 || true

# What is in the packages, by their headers.
unpacked=$WORK/emulated/$ARCH
rm -rf "$unpacked"
mkdir -p "$unpacked"
for package in $OUR_PROGRAMS; do
    deb=$(deb_of "$PACKAGES" "$package" "$VERSION")
    dpkg-deb --extract "$deb" "$unpacked/deb"
    size=$(wc -c <"$deb")
    prove "$ARCH: size of $package" "$(size_of "$deb"), $(size_of "$unpacked/deb/usr/bin/$package") the program (aim: under 12)" \
        test "$size" -lt 12000000
    file=$unpacked/deb/usr/bin/$package
    fits() { check_machine "$file" && check_glibc "$file" && check_places "$file"; }
    prove "$ARCH: $package" "$(readelf --file-header "$file" | sed -n 's/^ *\(Class\|Machine\|Flags\): *//p' |
        paste -s -d ' '), glibc $(check_glibc "$file")" fits
done
prove "$ARCH: lintian" 'no errors' lint
same_program() {
    tar --extract --directory "$unpacked" --file "$tarball" &&
        cmp "$unpacked/$NAME-$VERSION-linux-$MACHINE/bin/$program" "$unpacked/deb/usr/bin/$program"
}
prove "$ARCH: the tarball" "$(size_of "$tarball"), the same program" same_program
same_in_rpm() {
    for package in $OUR_PROGRAMS; do
        root=$unpacked/rpm-$package
        mkdir -p "$root" &&
            rpm --root "$root" --install --nodeps --noscripts --nosignature --ignorearch "${rpm%/*}/$package-${rpm#*"$program"-}" &&
            cmp "$root/usr/bin/$package" "$unpacked/deb/usr/bin/$package" || return 1
    done
}
[ "$ARCH" = armhf ] || prove "$ARCH: the .rpm" "$(size_of "$rpm"), the same programs" same_in_rpm

can_make_trees "$ARCH: in a Debian tree" || exit 0

# The image's program alone in a folder, as in the image: no C library, no shell.
alone() {
    mkdir -p "$unpacked/image" && tar --extract --directory "$unpacked/image" --file "$image" || return 1
    contents=$(find "$unpacked/image" -type f -name '*.tar')
    mkdir -p "$unpacked/root" && tar --extract --directory "$unpacked/root" --file "$contents" || return 1
    check_machine "$unpacked/root/$program" && check_static "$unpacked/root/$program" &&
        chroot "$unpacked/root" "/$program" --version
}
if [ -e "$image" ]; then
    prove "$ARCH: the image's program" "$(size_of "$image") the image; static; runs where nothing else is" alone
else
    skip "$ARCH: the image's program" 'the image could not be built; see the log'
fi

# This computer's own program.
if [ -n "${NATIVE_PROGRAMS:-}" ]; then
    here=$NATIVE_PROGRAMS/$program
else
    native_deb=$PACKAGES/${program}_${VERSION}_$NATIVE.deb
    [ -e "$native_deb" ] || PACKAGE_ARCH=$NATIVE sh packaging/build.sh deb >&2
    dpkg-deb --extract "$native_deb" "$unpacked/native"
    here=$unpacked/native/usr/bin/$program
fi

fingerprint() { sed -n 's/^certificate sha256 //p' "$1"; }
# with_hub COMMAND…: beside a hub of this computer, at $HUB with its data in $data.
with_hub() {
    data=$unpacked/hub
    address=127.0.0.1:$(free_port)
    "$here" hub --listen "$address" --tls-self-signed --data-dir "$data" >"$unpacked/hub.log" 2>&1 &
    hub=$!
    until_true 60 'the hub of this computer' grep -q 'certificate sha256' "$unpacked/hub.log"
    HUB=wss://$address#sha256=$(fingerprint "$unpacked/hub.log")
    code=0
    "$@" || code=$?
    kill "$hub"
    wait "$hub" || code=$?
    return "$code"
}
there() { in_tree env "DUPLEX_TOKEN=$token" "$program" "$@"; }
sends_here() {
    token=$(cat "$data/token")
    there send "$HUB" --room general --timeout 120s "from $ARCH" &&
        "$here" tail "$HUB" --data-dir "$data" --since 0 --count 1 --no-readings | grep -F "from $ARCH"
}
reads_here() {
    token=$(cat "$data/token")
    "$here" send "$HUB" --data-dir "$data" --room general 'to the tree' &&
        there tail "$HUB" --since 0 --count 2 --no-readings | grep -F 'to the tree'
}
publishes_here() {
    token=$("$here" device add emulated --data-dir "$data") || return 1
    there agent --url "$HUB" --name 'The emulated one' >&2 &
    agent=$!
    code=0
    timeout 300 "$here" tail "$HUB" --data-dir "$data" --device emulated --no-messages --json |
        grep -m 1 '"metric":"memory".*"name":"The emulated one"' || code=$?
    pkill -KILL -P "$agent" # unshare, which lets no other signal end it, and with it what it started
    wait "$agent" || true
    return "$code"
}
# The other way round: the hub in the tree, as with say_it, and this computer at it.
at_hub_there() {
    data=$tree/var/lib/duplex
    address=127.0.0.1:$(free_port)
    in_tree "$program" hub --listen "$address" --tls-self-signed --data-dir /var/lib/duplex >"$unpacked/hub-there.log" 2>&1 &
    hub=$!
    until_true 300 'the hub in the tree' grep -q 'certificate sha256' "$unpacked/hub-there.log"
    HUB=wss://$address#sha256=$(fingerprint "$unpacked/hub-there.log")
    DUPLEX_TOKEN=$(cat "$data/token")
    export DUPLEX_TOKEN
    code=0
    "$here" send "$HUB" --room general --timeout 120s 'from this computer' &&
        "$here" tail "$HUB" --since 0 --count 2 --no-readings | grep -F 'from this computer' &&
        in_tree "$program" invite --data-dir /var/lib/duplex --url "wss://$address" | grep '#invite=.*sha256=' || code=$?
    pkill -KILL -P "$hub" || true
    wait "$hub" || true
    return "$code"
}
# A data directory is carried from one kind of computer to the other, and opened there.
moves_here() {
    cp -a "$tree/var/lib/duplex" "$unpacked/from-there" &&
        "$here" hub check --data-dir "$unpacked/from-there" &&
        "$here" export --data-dir "$unpacked/from-there" | grep -F 'from this computer'
}
moves_there() {
    cp -a "$unpacked/hub" "$tree/root/from-here" &&
        in_tree "$program" hub check --data-dir /root/from-here &&
        in_tree "$program" export --data-dir /root/from-here | grep -F "from $ARCH"
    code=$?
    rm -rf "$tree/root/from-here"
    return "$code"
}

label=debian-12-$ARCH
make_old >&2
begin_life bookworm
live "$label"
prove "$label: sends to this computer's hub" "of $NATIVE, over TLS; on its disk" with_hub sends_here
prove "$label: reads from this computer's hub" "what $NATIVE sent" with_hub reads_here
prove "$label: the agent publishes" "readings, to this computer's hub" with_hub publishes_here
prove "$label: its hub serves this computer" "send and tail of $NATIVE, over TLS; invites" at_hub_there
prove "$label: its data opens here" "hub check and export of $NATIVE" moves_here
prove "$label: this computer's data opens there" 'hub check and export' moves_there
if [ "$ARCH" = armhf ]; then
    # Raspberry Pi OS runs on ARMv6 under the same name: a uname that says so.
    refused() {
        printf '#!/bin/sh\necho armv6l\n' >"$tree/usr/local/bin/uname"
        chmod 755 "$tree/usr/local/bin/uname"
        code=0
        in_tree env PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            dpkg --install "/packages/${program}_${VERSION}_$ARCH.deb" >"$layer/refused" 2>&1 || code=$?
        rm "$tree/usr/local/bin/uname"
        cat "$layer/refused"
        [ "$code" -ne 0 ] && grep -q 'ARMv7 or newer is needed' "$layer/refused"
    }
    prove "$label: refuses ARMv6" 'with the reason; what is installed stays' refused
fi
end_life "$label"
