#!/bin/sh
# Packs the staged trees as .deb: duplex_VERSION_ARCH.deb and duplexctl_VERSION_ARCH.deb.
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=packaging/linux/arch.sh
. packaging/linux/arch.sh
need dpkg-deb gzip

INTRODUCTION_LINES=$(printf '%s' "$INTRODUCTION" | fold -s -w 76 | sed 's/^/ /; s/ *$//')
HOMEPAGE_FIELD=${HOMEPAGE:+Homepage: $HOMEPAGE}
LIBRARIES=$(awk '!/^#/ { printf ", %s", $2 }' packaging/linux/libraries)
export INTRODUCTION_LINES HOMEPAGE_FIELD LIBRARIES

for package in $OUR_PROGRAMS; do
    tree=$WORK/deb/$package
    source=packaging/linux/deb/$package
    rm -rf "$tree"
    mkdir -p "$WORK/deb"
    cp -a "$WORK/stage/$package" "$tree"

    # Debian's zsh looks in a folder of Debian's own.
    mv "$tree/usr/share/zsh/site-functions" "$tree/usr/share/zsh/vendor-completions"

    doc=$tree/usr/share/doc/$package
    mkdir -p "$doc"
    "$PYTHON" packaging/linux/documents.py copyright >"$doc/copyright"
    "$PYTHON" packaging/linux/documents.py deb-changelog "$package" | gzip -9n >"$doc/changelog.gz"
    if [ -e "$source/lintian-overrides" ]; then
        put 644 "$source/lintian-overrides" "$tree/usr/share/lintian/overrides/$package"
    fi

    mkdir "$tree/DEBIAN"
    INSTALLED_KB=$(find "$tree" -type f -printf '%s\n' | awk '{ sum += $1 } END { print int(sum / 1024) + 1 }')
    export INSTALLED_KB
    fill "$source/control" | sed '/^$/d' >"$tree/DEBIAN/control"
    (cd "$tree" && find etc -type f 2>/dev/null | sed 's|^|/|') >"$tree/DEBIAN/conffiles"
    [ -s "$tree/DEBIAN/conffiles" ] || rm "$tree/DEBIAN/conffiles"
    (cd "$tree" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$tree/DEBIAN/md5sums"
    for script in preinst postinst prerm postrm; do
        [ ! -e "$source/$script" ] || put 755 "$source/$script" "$tree/DEBIAN/$script"
    done
    find "$tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

    file=$PACKAGES/${package}_${VERSION}_$ARCH.deb
    # xz: Ubuntu 20.04 and Debian 11 know nothing newer. One thread: several cut the data in other places.
    DPKG_DEB_THREADS_MAX=1 dpkg-deb --root-owner-group -Zxz -z9 --build "$tree" "$file" >/dev/null
    built "$file"
done
