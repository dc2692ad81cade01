# Trees of Debian for $ARCH to install packages into, for the proofs; to be sourced after arch.sh. Each is a fresh layer over a
# tree that debootstrap made once (target/packaging/trees), so that a proof leaves nothing. Needs root.
# shellcheck shell=sh disable=SC2034 # $PATIENCE is for the scripts that source it

TREES=$WORK/trees
xvfb=
# How many times as long as usual something may take.
PATIENCE=1
[ "$ARCH" = "$NATIVE" ] || PATIENCE=10

# can_make_trees NAME: prints a SKIP for that proof where trees cannot be made.
can_make_trees() {
    if [ "$(id -u)" -ne 0 ]; then
        skip "$1" 'needs root, to install into a tree of its own'
        return 1
    fi
    need debootstrap unshare Xvfb xwininfo xprop import
    if [ "$ARCH" != "$NATIVE" ]; then
        need "$QEMU" update-binfmts
        # The kernel starts programs for it by QEMU, in trees, too.
        update-binfmts --enable "${QEMU%-static}" >&2 || true
        if [ ! -e "/proc/sys/fs/binfmt_misc/${QEMU%-static}" ]; then
            skip "$1" "this kernel starts no programs by QEMU (binfmt_misc)"
            return 1
        fi
    fi
}

# base SUITE: a minimal Debian, made once.
base() {
    base=$TREES/$1-$ARCH
    [ ! -e "$base/.whole" ] || return 0
    mkdir -p "$TREES"
    # One that was interrupted may have this computer's processes mounted in it.
    if mountpoint -q "$base/proc"; then umount "$base/proc"; fi
    rm -rf --one-file-system "${base:?}"
    debootstrap --arch="$ARCH" --variant=minbase "$1" "$base" >&2
    touch "$base/.whole"
}

# open_tree SUITE NAME: a fresh layer over it at $tree, with this computer's network.
open_tree() {
    base "$1"
    layer=$TREES/layer-$2
    close_tree "$layer"
    mkdir -p "$layer/upper" "$layer/work" "$layer/tree"
    mount -t overlay overlay -o "lowerdir=$base,upperdir=$layer/upper,workdir=$layer/work" "$layer/tree"
    tree=$layer/tree
    cp /etc/resolv.conf /etc/hosts "$tree/etc/"
    # Packages that start services must not, in a tree.
    printf '#!/bin/sh\nexit 101\n' >"$tree/usr/sbin/policy-rc.d"
    chmod 755 "$tree/usr/sbin/policy-rc.d"
    mkdir -p "$tree/tmp/.X11-unix" "$tree/packages"
    mount --bind "$PACKAGES" "$tree/packages"
    mount --bind /tmp/.X11-unix "$tree/tmp/.X11-unix"
}

close_tree() {
    for mounted in "$1/tree/packages" "$1/tree/tmp/.X11-unix" "$1/tree"; do
        if mountpoint -q "$mounted"; then umount "$mounted"; fi
    done
    rm -rf "$1"
}

# in_tree COMMAND…: runs it there as root, with processes and a network of its computer; all it started ends with it.
in_tree() {
    # shellcheck disable=SC2016 # expanded by the inner shell
    unshare --mount --pid --fork --kill-child sh -c '
        tree=$1
        shift
        mount -t proc proc "$tree/proc"
        mount --rbind /dev "$tree/dev"
        mount -t tmpfs tmpfs "$tree/run"
        exec chroot "$tree" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
            DEBIAN_FRONTEND=noninteractive ${DISPLAY:+DISPLAY=$DISPLAY} "$@"' in_tree "$tree" "$@"
}

# files_in_tree: all files and folders of the tree, but for what every installation changes.
files_in_tree() {
    (cd "$tree" && find . -xdev \( -path ./proc -o -path ./dev -o -path ./run -o -path ./tmp -o -path ./packages \
        -o -path ./var/lib/dpkg -o -path ./var/lib/apt -o -path ./var/cache -o -path ./var/log \) -prune -o -print | sort)
}

# open_display: a screen to start the app on; close_display ends it.
open_display() {
    number=$(mktemp)
    Xvfb -displayfd 3 -screen 0 1280x800x24 -nolisten tcp 3>"$number" >&2 2>&1 &
    xvfb=$!
    until_true 30 'Xvfb' [ -s "$number" ]
    DISPLAY=:$(cat "$number")
    rm "$number"
    export DISPLAY
}
close_display() {
    [ -n "$xvfb" ] || return 0
    kill "$xvfb" 2>/dev/null || true
    wait "$xvfb" 2>/dev/null || true
    xvfb=
}

# until_true SECONDS WHAT COMMAND…
until_true() {
    end=$(($(date +%s) + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -lt "$end" ] || stop "waited for $what"
        sleep 0.2
    done
}
