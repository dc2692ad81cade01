#!/bin/sh
# Builds the programs for $ARCH, as they ship, into target/packaging/linux/ARCH, and checks that they run on old systems.
# zig brings the C library's symbols as of an old version (zigbuild, from PyPI), so that any Linux can build them, for any.
# The same source gives the same bytes, wherever it lies: no path of this machine is left in them.
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=packaging/linux/arch.sh
. packaging/linux/arch.sh

with_zig
need cargo cargo-zigbuild readelf
hide_places

bins=
for program in $OUR_PROGRAMS; do
    bins="$bins --bin $program"
done
# The words are options of our own: splitting them is meant.
# shellcheck disable=SC2086
cargo_for "$TRIPLE" cargo-zigbuild zigbuild --locked --profile dist $bins --target "$TRIPLE.$GLIBC"

for program in $OUR_PROGRAMS; do
    file=$TARGET/$TRIPLE/dist/$program
    check_machine "$file"
    wanted=$(check_glibc "$file")
    check_places "$file"
    say "$program for $ARCH runs from glibc $wanted on, $(size_of "$file")"
    put 755 "$file" "$WORK/linux/$ARCH/$program"
done
