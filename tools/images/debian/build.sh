#!/usr/bin/env bash
# build.sh TAG LABEL: a minimal Debian as an image. Needs root.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
debootstrap --variant=minbase --include=ca-certificates bookworm "$work/root"
rm -rf "$work"/root/var/cache/apt/archives/*.deb "$work"/root/var/lib/apt/lists/*
tar --create --directory "$work/root" . | docker import --change "LABEL $2" - "$1"
