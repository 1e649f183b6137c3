#!/bin/bash
# SPDX-License-Identifier: MIT
# Installs what the tests and checks use on Debian and Ubuntu; elsewhere says what is missing. The library itself needs none of it.
set -u
packages="gcc g++ libc6-dev make libcmocka-dev libopenblas-dev pkg-config clang universal-ctags binutils python3 unicode-data"
packages="$packages libpng-dev libjpeg-dev"

if ! command -v apt-get > /dev/null; then
    echo "No apt-get here. The tests need cmocka (headers and library); they make use of OpenBLAS, pkg-config, clang, a C++ compiler,"
    echo "universal-ctags, binutils, python3. Missing programs:"
    for program in pkg-config clang c++ ctags nm objdump python3; do
        command -v "$program" > /dev/null || echo "  $program"
    done
    exit 0
fi

missing=""
for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2> /dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
if [ -z "$missing" ]; then
    echo "all packages of the tests are installed"
    exit 0
fi

sudo=""
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo > /dev/null; then
        echo "please install as root:$missing"
        exit 1
    fi
    sudo=sudo
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # lists of words
$sudo apt-get install -y -q --no-install-recommends $missing > /dev/null 2>&1 ||
    { $sudo apt-get update -q && $sudo apt-get install -y -q --no-install-recommends $missing; }
