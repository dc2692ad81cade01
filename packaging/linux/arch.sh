# The architecture that packages for Linux are made for, by the names of everything that names it, and checks of programs
# for it; to be sourced after lib.sh. It is $PACKAGE_ARCH (build.sh --arch), or else this computer's.
# shellcheck shell=sh disable=SC2034 # its variables are for the scripts that source it
#   ARCH           Debian's name
#   MACHINE        in the names of the other packages
#   TRIPLE         Rust's name, with glibc; STATIC_TRIPLE with musl
#   GNU_NAME       Debian's folder of the C library, /usr/GNU_NAME
#   QEMU           emulates it
#   PLATFORM       the containers' name
#   OUR_PROGRAMS   what is built for it

GLIBC=2.31 # Debian 11, Ubuntu 20.04, and whatever is newer

# native_arch: this computer's. 32-bit systems on ARM often have a 64-bit kernel.
native_arch() {
    case $(uname -m)-$(getconf LONG_BIT) in
    x86_64-64) echo amd64 ;;
    aarch64-64) echo arm64 ;;
    aarch64-32 | armv7l-* | armv8l-*) echo armhf ;;
    *) return 1 ;;
    esac
}

NATIVE=$(native_arch) || NATIVE=$(uname -m)
ARCH=${PACKAGE_ARCH:-$NATIVE}
OUR_PROGRAMS="$NAME ${NAME}ctl"
case $ARCH in
amd64)
    MACHINE=x86_64 TRIPLE=x86_64-unknown-linux-gnu STATIC_TRIPLE=x86_64-unknown-linux-musl
    GNU_NAME=x86_64-linux-gnu QEMU=qemu-x86_64-static PLATFORM=linux/amd64
    ;;
arm64)
    MACHINE=aarch64 TRIPLE=aarch64-unknown-linux-gnu STATIC_TRIPLE=aarch64-unknown-linux-musl
    GNU_NAME=aarch64-linux-gnu QEMU=qemu-aarch64-static PLATFORM=linux/arm64
    ;;
armhf)
    MACHINE=armv7 TRIPLE=armv7-unknown-linux-gnueabihf STATIC_TRIPLE=armv7-unknown-linux-musleabihf
    GNU_NAME=arm-linux-gnueabihf QEMU=qemu-arm-static PLATFORM=linux/arm/v7
    OUR_PROGRAMS=${NAME}ctl
    ;;
*) cannot "packages are made for amd64, arm64 and armhf; this is $ARCH (build for another by --arch)" ;;
esac
export ARCH MACHINE GLIBC

has_app() { [ "$OUR_PROGRAMS" != "${NAME}ctl" ]; }
NO_APP="the window is not built for $ARCH: the ARM computers that are fast enough for it also run 64-bit systems (arm64)"

# run_built FILE ARGUMENT…: runs a program that was built for $ARCH, emulated where this computer is another.
run_built() {
    if [ "$ARCH" = "$NATIVE" ]; then
        "$@"
        return
    fi
    need "$QEMU"
    [ -e "/usr/$GNU_NAME/lib/libc.so.6" ] || stop "the C library of $ARCH is missing; run: sh packaging/setup.sh --packaging"
    "$QEMU" -L "/usr/$GNU_NAME" "$@"
}

# check_machine FILE: it is for $ARCH, by its header; on 32-bit ARM with hardware floating point, for ARMv7.
check_machine() {
    case $ARCH in
    amd64) wanted='ELF64 Advanced Micro Devices X86-64' ;;
    arm64) wanted='ELF64 AArch64' ;;
    armhf) wanted='ELF32 ARM hard-float v7' ;;
    esac
    header=$(readelf --file-header "$1")
    found=$(printf '%s\n' "$header" | sed -n 's/^ *\(Class\|Machine\): *//p' | paste -s -d ' ')
    case $header in *'hard-float ABI'*) found="$found hard-float" ;; esac
    case $ARCH in armhf) found="$found $(readelf --arch-specific "$1" | sed -n 's/^ *Tag_CPU_arch: *//p')" ;; esac
    [ "$found" = "$wanted" ] || stop "$1 is for '$found', not for '$wanted'"
}

# check_glibc FILE: it needs no library but glibc's, and no symbol newer than $GLIBC; prints the newest. What is not loaded
# at start on purpose, would be missing on a server.
check_glibc() {
    linked=$(readelf --wide --dynamic "$1" |
        sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -vE '^(lib(c|m|dl|pthread|rt|util)|ld-linux(-[a-z0-9-]+)?)\.so' || true)
    [ -z "$linked" ] || stop "$1 is linked to more than the C library: $linked"
    newest=$(readelf --wide --version-info "$1" | grep -o 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' | sort -uV | tail -n 1)
    [ -n "$newest" ] || stop "$1 is not linked to glibc"
    [ "$(printf '%s\n%s\n' "$newest" "$GLIBC" | sort -V | tail -n 1)" = "$GLIBC" ] ||
        stop "$1 wants glibc $newest, which systems with $GLIBC do not have"
    echo "$newest"
}

# check_static FILE: nothing else has to be there: no interpreter, no library.
check_static() {
    if readelf --wide --program-headers --dynamic "$1" | grep -E 'INTERP|NEEDED' >&2; then
        stop "$1 is not static: it would not run where nothing else is"
    fi
}

# check_places FILE: no path of this machine is in it.
check_places() {
    for place in "$ROOT" "${CARGO_HOME:-$HOME/.cargo}"; do
        if grep -qaF "$place/" "$1"; then stop "$1 names a place of this machine: $place"; fi
    done
}
