#!/bin/sh
# buildah with a store of its own in target/packaging/container: on any file system (vfs), for root and for others.
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"
BUILDAH_ISOLATION=chroot
export BUILDAH_ISOLATION
exec buildah --root "$WORK/container/store" --runroot "$WORK/container/run" --storage-driver vfs "$@"
