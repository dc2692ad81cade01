#!/bin/sh
# Builds the AppImage, where appimagetool is installed (it brings the runtime); lays out its AppDir anyhow. Libraries
# are those of the system: the app loads what is there (packaging/linux/libraries).
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=packaging/linux/arch.sh
. packaging/linux/arch.sh

folder=$WORK/appimage/$TITLE.AppDir
rm -rf "$WORK/appimage"
mkdir -p "$folder"
cp -a "$WORK/stage/$NAME/usr" "$folder"
ln -s "usr/bin/$NAME" "$folder/AppRun"
ln -s "usr/share/applications/$NAME.desktop" "$folder/$NAME.desktop"
ln -s "usr/share/icons/hicolor/256x256/apps/$NAME.png" "$folder/$NAME.png"
run_built "$folder/AppRun" --version
say "the AppDir is ${folder#"$ROOT"/}"
have appimagetool || cannot 'appimagetool, which brings the runtime, is not installed (and in no package of Debian)'
file=$PACKAGES/$TITLE-$VERSION-$MACHINE.AppImage
ARCH=$MACHINE appimagetool "$folder" "$file"
built "$file"
