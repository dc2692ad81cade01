#!/bin/sh
# The packages for ARM, on a computer of another kind by QEMU: those for arm64 and for armhf are installed in Debian 12
# trees, talk with this computer's hub and it with theirs, are upgraded, removed and purged; the image's programs run alone.
#   ARCHES='arm64 armhf'      those to prove
#   NATIVE_PROGRAMS=DIR       takes this computer's duplexctl from there instead of its .deb
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"

for arch in ${ARCHES:-arm64 armhf}; do
    PACKAGE_ARCH=$arch sh packaging/linux/emulated.sh || fail "$arch" 'ended early; see the log'
done

# What no emulation of programs can show, so that nobody takes the lines above for it.
skip 'arm: the services' 'systemd is not started in an emulated tree; verify.sh services runs the same units here'
skip 'arm: the hardware' "a Pi's sensors, graphics chip, SD card and speed: QEMU emulates the processor alone"
