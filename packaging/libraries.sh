#!/bin/sh
# Checks the libraries against .cargo/deny.toml: their licences, where they come from, what is banned.
#
#   sh packaging/libraries.sh                 needs no network once the libraries and cargo-deny are there
#   sh packaging/libraries.sh --advisories    also known vulnerabilities; fetches their database
set -eu
cd "$(dirname "$0")/.."
VERSION=0.20.2

if ! command -v cargo-deny >/dev/null 2>&1; then
    echo "libraries: installing cargo-deny $VERSION"
    cargo install --locked --version "$VERSION" cargo-deny
fi
# Duplicates are warnings, whose trees nobody reads in a log.
set -- --hide-inclusion-graph licenses bans sources ${1:+advisories}
exec cargo deny --locked check "$@"
