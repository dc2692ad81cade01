#!/bin/sh
# Builds the two programs, as they ship, into target/packaging/linux, and checks that they run on old systems.
# zig brings the C library's symbols as of an old version (zigbuild, from PyPI), so that any Linux can build them.
# The same source gives the same bytes, wherever it lies: no path of this machine is left in them.
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"

GLIBC=2.31 # Debian 11, Ubuntu 20.04, and whatever is newer
TRIPLE=x86_64-unknown-linux-gnu

PATH=${PACKAGING_TOOLS:-$WORK/tools}/bin:$PATH
export PATH
need cargo cargo-zigbuild objdump

cargo_home=${CARGO_HOME:-$HOME/.cargo}
# rustc's, then the C compiler's for SQLite and the TLS primitives.
RUSTFLAGS="--remap-path-prefix=$ROOT=/$NAME --remap-path-prefix=$cargo_home=/cargo"
CFLAGS="-ffile-prefix-map=$ROOT=/$NAME -ffile-prefix-map=$cargo_home=/cargo"
CARGO_INCREMENTAL=0
export RUSTFLAGS CFLAGS CARGO_INCREMENTAL

cargo zigbuild --locked --profile dist --bins --target "$TRIPLE.$GLIBC"

for program in "$NAME" "${NAME}ctl"; do
    file=$TARGET/$TRIPLE/dist/$program
    wanted=$(objdump -T "$file" | sed -n 's/.*GLIBC_\([0-9.]*\).*/\1/p' | sort -uV | tail -n 1)
    # What is not loaded at start on purpose, would be missing on a server.
    linked=$(objdump -p "$file" | awk '$1 == "NEEDED" && $2 !~ /^(lib(c|m|dl|pthread|rt|util)|ld-linux-x86-64)\.so/ { print $2 }')
    [ -z "$linked" ] || stop "$program is linked to more than the C library: $linked"
    for place in "$ROOT" "$cargo_home"; do
        if grep -qaF "$place/" "$file"; then stop "$program names a place of this machine: $place"; fi
    done
    newest=$(printf '%s\n%s\n' "$wanted" "$GLIBC" | sort -V | tail -n 1)
    [ "$newest" = "$GLIBC" ] || stop "$program wants glibc $wanted, which systems with $GLIBC do not have"
    say "$program runs from glibc $wanted on, $(size_of "$file")"
    put 755 "$file" "$WORK/linux/$program"
done
