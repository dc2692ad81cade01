# Shared by all scripts in packaging/: what is built, where it goes, and how a script says what it did. To be sourced
# by a POSIX shell, with the script's own name in $0.
# shellcheck shell=sh
set -eu

# The names of metadata.py (NAME, VERSION, TARGET, …), and:
#   ROOT       the source tree; scripts run there
#   PACKAGES   where finished packages go
#   WORK       for everything on the way to them
# Packages are as old as their commit, whatever the clock says: SOURCE_DATE_EPOCH.
ROOT=$(cd "$(dirname "$0")" && until [ -e packaging/lib.sh ]; do cd ..; done && pwd)
cd "$ROOT"

PYTHON=python3
python3 -c '' 2>/dev/null || PYTHON=python # Windows

assignments=$("$PYTHON" packaging/metadata.py)
set -a
eval "$assignments"
PACKAGES=$TARGET/packages
WORK=$TARGET/packaging
set +a
unset assignments
LC_ALL=C.UTF-8 TZ=UTC
export LC_ALL TZ
umask 022
mkdir -p "$PACKAGES" "$WORK"

# A script that builds a format ends with one of these codes.
CANNOT=69 # EX_UNAVAILABLE: not on this system

me=${0##*packaging/}
say() { printf '%s: %s\n' "$me" "$*"; }
# Something is wrong that should be right.
stop() {
    printf '%s: %s\n' "$me" "$*" >&2
    exit 1
}
# It cannot be built here, for a reason that is no fault; build.sh shows the last line.
cannot() {
    printf '%s\n' "$*"
    exit "$CANNOT"
}
have() { command -v "$1" >/dev/null 2>&1; }
# need COMMAND…: they are there, or `packaging/setup.sh --packaging` brings them.
need() {
    for command in "$@"; do
        have "$command" || stop "$command is missing; run: sh packaging/setup.sh --packaging"
    done
}

# with_zig: cargo-zigbuild, which setup.sh installed, is found.
with_zig() {
    PATH=${PACKAGING_TOOLS:-$WORK/tools}/bin:$PATH
    export PATH
}

# hide_places: rustc and the C compiler (for SQLite and the TLS primitives) leave no path of this machine in programs.
hide_places() {
    home=${CARGO_HOME:-$HOME/.cargo}
    RUSTFLAGS="--remap-path-prefix=$ROOT=/$NAME --remap-path-prefix=$home=/cargo"
    CFLAGS="-ffile-prefix-map=$ROOT=/$NAME -ffile-prefix-map=$home=/cargo"
    CARGO_INCREMENTAL=0
    export RUSTFLAGS CFLAGS CARGO_INCREMENTAL
}

# rust_source: where Debian's source of Rust's standard library is.
rust_source() { printf '%s/lib/rustlib/src/rust' "$(/usr/bin/rustc --print sysroot 2>/dev/null || echo /usr)"; }

# cargo_for TRIPLE TOOL VERB OPTION…: cargo or cargo-zigbuild, with Rust's standard library for TRIPLE: rustup's, or else
# built from source by Debian's compiler, which has the version of that source.
cargo_for() {
    triple=$1 tool=$2 verb=$3
    shift 3
    if [ -d "$(rustc --print sysroot)/lib/rustlib/$triple/lib" ]; then
        "$tool" "$verb" "$@"
    elif [ -d "$(rust_source)/library" ]; then
        say "the standard library for $triple is built from Debian's source"
        # cargo-zigbuild calls the cargo that is named, and finds its zig by the first Python on PATH.
        [ "$tool" != cargo ] || tool=/usr/bin/cargo
        CARGO=/usr/bin/cargo RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc RUSTC_BOOTSTRAP=1 \
            RUSTFLAGS="${RUSTFLAGS:-} --remap-path-prefix=$(rust_source)=/rust" \
            "$tool" "$verb" -Zbuild-std=std,panic_unwind "$@"
    else
        cannot "Rust's standard library for $triple is missing: rustup target add $triple, or: sh packaging/setup.sh --packaging"
    fi
}

# fill TEMPLATE: prints it with each @NAME@ replaced.
fill() { "$PYTHON" packaging/metadata.py fill "$1"; }

# Cargo's keywords as a menu wants them.
desktop_keywords() { printf '%s' "$KEYWORDS" | sed 's/ /;/g; s/$/;/'; }

# icon SIZE FILE.png: draws the icon, SIZE pixels square.
icon() { rsvg-convert --width "$1" --height "$1" --output "$2" assets/duplex.svg; }

# put MODE FILE DESTINATION: copies a file, making its folder.
put() {
    mkdir -p "$(dirname "$3")"
    install -m "$1" "$2" "$3"
}

# built FILE…: says what was built and how large it is.
built() {
    for file in "$@"; do
        say "built ${file#"$ROOT"/}, $(size_of "$file")"
    done
}

size_of() { wc -c <"$1" | awk '{ printf "%.1f MB", $1 / 1e6 }'; }

# free_port: one on this computer that nobody uses.
free_port() {
    "$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Results of a proof, a line each, for verify.sh to count. All but a few words of detail goes to the log, which is
# what the proof prints to standard error.
pass() { printf 'PASS  %-28s %s\n' "$1" "${2:-}"; }
skip() { printf 'SKIP  %-28s %s\n' "$1" "$2"; }
fail() { printf 'FAIL  %-28s %s\n' "$1" "${2:-}"; }
# prove NAME DETAIL COMMAND…: PASS with the detail when the command succeeds, FAIL otherwise; its output goes to the log.
prove() {
    proof=$1 detail=$2
    shift 2
    printf '\n+ %s\n' "$*" >&2
    # In a shell of its own: one that stops is a failure of this proof alone.
    if ("$@") >&2; then pass "$proof" "$detail"; else fail "$proof" "failed: $*"; fi
}
