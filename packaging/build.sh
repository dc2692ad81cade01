#!/bin/sh
# Builds packages into target/packages/ and says what it could not build and why:
#
#   sh packaging/build.sh [--arch amd64|arm64|armhf] FORMAT…
#                                     deb rpm tar container exe zip dmg appimage flatpak
#   sh packaging/build.sh --check     looks at all of packaging/ without building: scripts, metadata, units (seconds)
#
# Without --arch, packages for Linux are for this computer's architecture. The others are built by cross-compiling.
# Exit code 0 also when a format cannot be made on this system (a .dmg wants macOS), 1 when one that could failed.
# The tools come with `sh packaging/setup.sh --packaging`.
#   PACKAGE_VERSION=…     another version than Cargo.toml's (for trying upgrades)
#   MAINTAINER='N <@>'    who answers for the packages
set -eu
here=$(cd "$(dirname "$0")" && pwd)

usage() {
    sed -n '3,/^#$/s/^#   //p' "$0" >&2
    exit 2
}
if [ "${1:-}" = --arch ]; then
    case ${2:-} in
    amd64 | arm64 | armhf) PACKAGE_ARCH=$2 ;;
    *) usage ;;
    esac
    export PACKAGE_ARCH
    shift 2
fi
[ $# -gt 0 ] || usage
for format in "$@"; do
    case $format in
    --check) [ $# -eq 1 ] || usage ;;
    deb | rpm | tar | container | appimage | flatpak | exe | zip | dmg) ;;
    *) usage ;;
    esac
done

failed=
if [ "$1" = --check ]; then
    for check in "$here"/*/check.sh; do
        sh "$check" || failed="$failed $check"
    done
    [ -z "$failed" ] || exit 1
    exit 0
fi

summary=
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for format in "$@"; do
    case $format in
    deb | rpm | tar | appimage | flatpak) system=linux ;;
    exe | zip) system=windows ;;
    dmg) system=macos ;;
    container) system=container ;;
    esac
    printf '━━━ %s\n' "$format"
    # Not through a pipe: the exit code counts, and a POSIX shell has only the last one's.
    code=0
    { sh "$here/$system/build.sh" "$format" 2>&1 || echo $? >"$log.code"; } | tee "$log"
    if [ -e "$log.code" ]; then
        code=$(cat "$log.code")
        rm "$log.code"
    fi
    case $code in
    0) line="built      $format$(sed -n 's/^without /, without /p' "$log")" ;;
    69) line="cannot     $format: $(tail -n 1 "$log")" ;;
    *) line="FAILED     $format: exit $code" failed=1 ;;
    esac
    summary="$summary$line
"
done
printf '━━━ in target/packages:\n%s' "$summary"
[ -z "$failed" ]
