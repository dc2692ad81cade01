#!/bin/sh
# Looks at what needs no building: the Containerfile runs nothing, asks no registry, and no root serves.
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"

recipe=packaging/container/Containerfile
[ "$(grep '^FROM ' "$recipe")" = 'FROM scratch' ] || stop "$recipe is to begin with nothing"
! grep -q '^RUN ' "$recipe" || stop "$recipe runs something: there is no shell in the image"
grep -Eq '^USER [1-9][0-9]*:[1-9][0-9]*$' "$recipe" || stop "$recipe serves as root"
say 'the Containerfile is sound'
