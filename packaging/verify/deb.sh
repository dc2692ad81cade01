#!/bin/sh
# The .deb packages: lintian; and in a fresh Debian 12 and a Debian 11 tree (glibc 2.36 and 2.31): install, start the
# app on a virtual display, run the hub, upgrade from an older version with data kept, remove, purge with nothing left.
# shellcheck disable=SC2317 # functions are called by name, through prove
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=packaging/linux/arch.sh
. packaging/linux/arch.sh
# shellcheck source=packaging/linux/trees.sh
. packaging/linux/trees.sh
# shellcheck source=packaging/linux/life.sh
. packaging/linux/life.sh

if [ ! -e "$(deb_of "$PACKAGES" "$NAME" "$VERSION")" ]; then
    sh packaging/build.sh deb >&2
fi

# The size people download, and what it takes on disk.
for package in $OUR_PROGRAMS; do
    file=$(deb_of "$PACKAGES" "$package" "$VERSION")
    size=$(wc -c <"$file")
    installed=$(dpkg-deb --field "$file" Installed-Size)
    detail="$(size_of "$file"), $((installed / 1000)) MB installed (aim: under 12, 30)"
    prove "deb: size of $package" "$detail" test "$size" -lt 12000000 -a "$installed" -lt 30000
done

prove 'deb: lintian' 'no errors' lint

can_make_trees 'deb: in a Debian tree' || exit 0
make_old >&2

# The whole life of both packages in one tree.
life() {
    begin_life "$1"
    live "$2"
    end_life "$2"
}
life bookworm debian-12
life bullseye debian-11
