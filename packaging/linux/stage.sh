#!/bin/sh
# Lays out what the .deb, the .rpm and the tarball hold, from the programs in $PROGRAMS, in a tree for each:
#   target/packaging/stage/duplex      the app: it wants a desktop
#   target/packaging/stage/duplexctl   the console companion and its services: it wants nothing but a C library
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=packaging/linux/arch.sh
. packaging/linux/arch.sh

stage=$WORK/stage
app=$stage/$NAME
console=$stage/${NAME}ctl
rm -rf "$stage"

# The menu's entry, its icons, and what software centres show.
stage_app() {
    put 755 "$PROGRAMS/$NAME" "$app/usr/bin/$NAME"
    applications=$app/usr/share/applications
    mkdir -p "$applications" "$app/usr/share/metainfo"
    DESKTOP_KEYWORDS=$(desktop_keywords)
    export DESKTOP_KEYWORDS
    fill packaging/linux/duplex.desktop >"$applications/$NAME.desktop"
    "$PYTHON" packaging/linux/metainfo.py >"$app/usr/share/metainfo/$APP_ID.metainfo.xml"
    icons=$app/usr/share/icons/hicolor
    put 644 assets/duplex.svg "$icons/scalable/apps/$NAME.svg"
    for size in 16 22 24 32 48 64 128 256 512; do
        mkdir -p "$icons/${size}x$size/apps"
        icon "$size" "$icons/${size}x$size/apps/$NAME.png"
    done
}

put 755 "$PROGRAMS/${NAME}ctl" "$console/usr/bin/${NAME}ctl"
if has_app; then stage_app; fi

# Manual pages and completions: the programs' own, each with its program.
mkdir -p "$stage/share"
run_built "$PROGRAMS/${NAME}ctl" generate "$stage/share"
(cd "$stage/share" && find . -type f) | while read -r file; do
    case ${file##*/} in
    *"${NAME}ctl"*) tree=$console ;;
    *)
        has_app || continue
        tree=$app
        ;;
    esac
    put 644 "$stage/share/$file" "$tree/usr/share/$file"
done
rm -r "$stage/share"
find "$stage" -path '*/man1/*.1' -exec gzip -9n {} +

# The services. Nothing starts them but the person who administers the computer.
for unit in packaging/linux/*.service packaging/linux/*.socket; do
    put 644 "$unit" "$console/usr/lib/systemd/system/${unit##*/}"
done
put 644 packaging/linux/hub.conf "$console/etc/$NAME/hub.conf"
put 644 packaging/linux/agent.conf "$console/usr/share/doc/${NAME}ctl/examples/agent.conf"

# What the linked libraries' licences want.
"$PYTHON" packaging/licences.py "$TRIPLE" | gzip -9n >"$stage/licences"
for program in $OUR_PROGRAMS; do
    put 644 "$stage/licences" "$stage/$program/usr/share/doc/$program/third-party-licences.txt.gz"
done
rm "$stage/licences"

# Everything is as old as its commit.
find "$stage" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
