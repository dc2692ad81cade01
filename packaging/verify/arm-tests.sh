#!/bin/sh
# The parts of the test suite that need no sockets and no display, on 64-bit and 32-bit ARM: built for it here, run by QEMU.
#   ARCHES='arm64 armhf'   those to test
#   ARM_SEEDS=1000         simulated worlds
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"

# Pure modules of the library, and the disk, whose files may be carried from one kind of computer to another.
UNITS='model:: mapping:: wire:: link:: engine:: frame:: store:: settings::'
FILES='model model_bounds model_devices model_series protocol transcript simulation old_data'

# tests ARCH KIND NAME FILTER…: builds and runs one executable of tests; prints how many passed.
run_tests() {
    PACKAGE_ARCH=$1 kind=$2 name=$3
    shift 3
    # shellcheck source=packaging/linux/arch.sh
    . packaging/linux/arch.sh
    if [ "$ARCH" != "$NATIVE" ]; then
        need "$QEMU"
        runner=$(printf 'CARGO_TARGET_%s_RUNNER' "$TRIPLE" | tr 'a-z-' 'A-Z_')
        export "$runner=$QEMU -L /usr/$GNU_NAME"
    fi
    DUPLEX_SIM_SEEDS=${ARM_SEEDS:-1000} CARGO_INCREMENTAL=0 \
        cargo_for "$TRIPLE" cargo-zigbuild test --locked --target "$TRIPLE.$GLIBC" "$kind" ${name:+"$name"} -- "$@" >"$said" 2>&1
    code=$?
    cat "$said" >&2
    return "$code"
}

with_zig
need cargo cargo-zigbuild
said=$WORK/arm-tests
for arch in ${ARCHES:-arm64 armhf}; do
    for name in lib $FILES; do
        kind=--test filters=''
        file=$name
        if [ "$name" = lib ]; then
            kind=--lib file='' filters=$UNITS
        fi
        printf '\n+ %s for %s\n' "$name" "$arch" >&2
        # The filters are words of our own.
        # shellcheck disable=SC2086
        if (run_tests "$arch" "$kind" "$file" $filters); then
            pass "$arch: tests, $name" "$(sed -n 's/^test result: ok\. \([0-9]* passed\).*/\1/p' "$said" | tail -n 1)"
        else
            fail "$arch: tests, $name" "$(grep -E '^(test .* FAILED|error|test result: FAILED)' "$said" | head -n 3 | paste -s -d ';')"
        fi
    done
done
