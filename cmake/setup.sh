# Sourced by run and check: makes sure that what Sonolux is built with is there (Debian 12, Ubuntu 24.04).
#
#   sonolux_setup [NAME]     installs missing packages, and those of the preset NAME; quick and without network where
#                            nothing is missing
#   sonolux_configure NAME   configures the preset NAME, with ccache where it is there

# One package a line; a|b means whichever of the two the distribution has.
sonolux_packages="
build-essential
cmake
ninja-build
pkg-config|pkgconf
ccache
libeigen3-dev
libfftw3-dev
libkissfft-dev
libboost1.81-dev|libboost1.83-dev
libpng-dev
libtiff-dev
libjpeg-dev
libfmt-dev
libtomlplusplus-dev
libcli11-dev
liblbfgspp-dev
libmatio-dev
libhdf5-dev
libgtest-dev
libgmock-dev
libbenchmark-dev
"

# clang 19, its linter and its sanitizers, for the presets that are compiled with it.
sonolux_clang_packages="
clang-19
clang-tidy-19
libclang-rt-19-dev
"

sonolux_installed() {
    dpkg-query -W -f='${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

# Not `apt-cache show`, which also knows packages that others only mention.
sonolux_available() {
    LC_ALL=C apt-cache policy "$1" 2>/dev/null | grep '^  Candidate: ' | grep -qv '(none)'
}

sonolux_missing() {
    local line package packages=$sonolux_packages
    case "$1" in
        tidy | clang | fuzz) packages="$packages $sonolux_clang_packages" ;;
    esac
    for line in $packages; do
        for package in ${line//|/ }; do
            sonolux_installed "$package" && continue 2
        done
        echo "$line"
    done
}

sonolux_setup() {
    if ! command -v dpkg-query >/dev/null; then
        echo "set-up: not a Debian or Ubuntu system: nothing is installed here; CONTRIBUTING.md lists what is needed" >&2
        return 0
    fi
    local missing line package chosen="" root=""
    missing=$(sonolux_missing "${1:-}")
    [ -n "$missing" ] || return 0

    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "set-up: these packages are missing, and there is neither root nor sudo to install them:" $missing >&2
            return 1
        fi
        root="sudo"
    fi
    echo "set-up: installing" $missing >&2
    $root env DEBIAN_FRONTEND=noninteractive apt-get update -q >&2 || {
        echo "set-up: apt-get update failed: is there a network?" >&2
        return 1
    }
    for line in $missing; do
        package=""
        for package in ${line//|/ }; do
            sonolux_available "$package" && break
        done
        chosen="$chosen $package"
    done
    $root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $chosen >&2 || {
        echo "set-up: apt-get could not install$chosen (Sonolux expects Debian 12 or Ubuntu 24.04)" >&2
        return 1
    }
}

sonolux_configure() {
    local launcher=()
    if command -v ccache >/dev/null; then
        launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
    fi
    cmake --preset "$1" "${launcher[@]}"
}
