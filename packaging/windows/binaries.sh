#!/bin/sh
# Builds the two programs for Windows, as they ship, into target/packaging/windows, and checks that they need nothing
# that Windows does not bring. On Windows by Microsoft's compiler; on Debian by its cross compiler, with Rust's standard
# library built from source where rustup has not brought one for Windows.
#
#   sh packaging/windows/binaries.sh                builds and checks them
#   sh packaging/windows/binaries.sh --check DIR    only checks those in DIR
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"

# check DIR: the programs there need no DLL but those of Windows 10: its own interfaces, and the C runtime that is part
# of it.
check() {
    objdump=x86_64-w64-mingw32-objdump
    have "$objdump" || objdump=objdump
    for program in "$NAME.exe" "${NAME}ctl.exe"; do
        say "$program: $(size_of "$1/$program")"
        have "$objdump" || continue
        "$objdump" -p "$1/$program" | sed -n 's/^[[:space:]]*DLL Name: //p' | tr '[:upper:]' '[:lower:]' |
            grep -vxE 'api-ms-win-[a-z0-9-]+\.dll' | sort >"$WORK/dlls"
        foreign=$(grep -vxFf packaging/windows/system-dlls "$WORK/dlls" | tr '\n' ' ')
        [ -z "$foreign" ] || stop "$program wants DLLs that Windows does not bring: $foreign"
    done
}
if [ "${1:-}" = --check ]; then
    check "$2"
    exit 0
fi

CARGO_INCREMENTAL=0
export CARGO_INCREMENTAL

if have cygpath; then
    triple=x86_64-pc-windows-msvc
    # Without the compiler's runtime as a DLL, which Windows does not bring.
    RUSTFLAGS='-C target-feature=+crt-static'
    export RUSTFLAGS
    cargo build --locked --profile dist --config packaging/windows/small.toml --bins --target "$triple"
else
    triple=x86_64-pc-windows-gnu
    need x86_64-w64-mingw32-gcc x86_64-w64-mingw32-windres
    hide_places
    CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=x86_64-w64-mingw32-gcc
    CC_x86_64_pc_windows_gnu=x86_64-w64-mingw32-gcc
    AR_x86_64_pc_windows_gnu=x86_64-w64-mingw32-ar
    export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER CC_x86_64_pc_windows_gnu AR_x86_64_pc_windows_gnu
    cargo_for "$triple" cargo build --locked --profile dist --config packaging/windows/small.toml --bins --target "$triple"
fi

for program in "$NAME.exe" "${NAME}ctl.exe"; do
    put 755 "$TARGET/$triple/dist/$program" "$WORK/windows/$program"
done
check "$WORK/windows"
