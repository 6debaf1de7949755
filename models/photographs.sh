#!/usr/bin/env bash
# Fetches the photographs that the shipped models are trained, validated and shown on.
#
# They are real photographs under free licences, taken from packages of Debian and Ubuntu. None is part of Sonolux:
# photographs.tsv beside this script names each with its package, author, licence and SHA-256, and what it is for.
# Packages of photograph_packages.tsv come from the Ubuntu archive, by the path and with the SHA-256 given there; the others
# are those of the same name in the distribution that the script runs on.
# Authors and licences are those of the packages' copyright files, with the author of the file name where the copyright
# file names many; for plasma-workspace-wallpapers and kdeartwork-wallpapers those of the metadata beside each picture
# (the copyright files have one licence for the package as a whole), for python3-skimage those of
# skimage/data/_fetchers.py, for python3-sklearn those of the README.txt beside the pictures.
# Nothing is installed, no apt source is added and no root is needed; the packages are downloaded one by one, unpacked
# and thrown away.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
list=$here/photographs.tsv
addresses=$here/photograph_packages.tsv
helper=/usr/lib/apt/apt-helper

usage() {
    cat <<END
usage: models/photographs.sh FOLDER [USE ...]

Puts the photographs of models/photographs.tsv into FOLDER/USE and writes FOLDER/photographs.tsv, the list of those
that are there. USE is training, validation or demonstration; all three unless some are named.
Demonstration alone downloads 23 MB, everything 1.4 GB. What is there already is not downloaded again, so that a fetch
that was interrupted goes on where it stopped.

Packages of releases other than this one are taken from the Ubuntu archive: the mirror that apt knows, where this is Ubuntu, or the one
whose address (that of the folder with pool/ in it) is in the environment variable SONOLUX_UBUNTU_ARCHIVE. Demonstration
needs none of them.

    models/photographs.sh build/photographs demonstration
END
}

case ${1-} in
    -h | --help) usage; exit 0 ;;
    "" | -*) usage >&2; exit 2 ;;
esac
folder=$1
shift
uses=${*:-training validation demonstration}
for use in $uses; do
    case $use in
        training | validation | demonstration) ;;
        *) echo "photographs.sh: USE must be training, validation or demonstration, got \"$use\"" >&2; exit 2 ;;
    esac
done

for tool in apt-get $helper dpkg-deb sha256sum; do
    command -v "$tool" > /dev/null || { echo "photographs.sh: $tool is needed and was not found" >&2; exit 1; }
done

# Debian 12 and Ubuntu 24.04 use the same package names. Where a distribution has none of that name, or another
# version without one of the pictures, the rest is fetched all the same, and the warnings say what is missing.
warn() { echo "photographs.sh: warning: $*" >&2; }

wanted() { [[ " $uses " == *" $1 "* ]]; }
intact() { [[ -f $1 ]] && echo "$2  $1" | sha256sum --check --status; }

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
chmod 755 "$scratch"

# The Ubuntu mirror that the environment or apt names; empty where neither does.
archive=${SONOLUX_UBUNTU_ARCHIVE-}
if [[ ! $archive ]]; then
    archive=$(apt-get indextargets --format '$(ORIGIN) $(SITE)' 2>/dev/null | awk '$1 == "Ubuntu" { print $2; exit }') || true
fi

# Downloads PACKAGE as a .deb into the folder DESTINATION, which is empty.
download() {
    local package=$1 destination=$2 path sum
    reason() { grep --max-count=1 '^E:' "$scratch/log" || tail -n 1 "$scratch/log"; }
    read -r path sum < <(awk -F'\t' -v package="$package" '$1 == package { print $2, $3 }' "$addresses") || true
    if [[ $path && ! $archive ]]; then
        warn "package $package is one of another release of Ubuntu, and no archive is known: set SONOLUX_UBUNTU_ARCHIVE"
        return 1
    elif [[ $path ]]; then
        "$helper" -qq -o APT::Sandbox::User="$(id -un)" \
            download-file "${archive%/}/$path" "$destination/$package.deb" "SHA256:$sum" > "$scratch/log" 2>&1 ||
            { warn "package $package could not be downloaded: $(reason)"; return 1; }
    else
        (cd "$destination" && apt-get download -qq -o APT::Sandbox::User="$(id -un)" "$package") > "$scratch/log" 2>&1 ||
            { warn "package $package could not be downloaded: $(reason)"; return 1; }
    fi
}

# Copies the pictures of the unpacked package PACKAGE that are wanted and not there yet.
copy_pictures() {
    local file use package author licence path sum target source
    while IFS=$'\t' read -r file use package author licence path sum; do
        target=$folder/$use/$file
        source=$scratch/$package/tree/$path
        if [[ $package != "$1" ]] || ! wanted "$use" || intact "$target" "$sum"; then continue; fi
        if [[ ! -f $source ]]; then
            warn "$file is missing: package $package has no $path"
        elif ! intact "$source" "$sum"; then
            warn "$file is left out: $path of package $package is not the picture of models/photographs.tsv (SHA-256)"
        else
            mkdir -p "$folder/$use"
            cp "$source" "$target.part"
            mv "$target.part" "$target"
        fi
    done < <(tail -n +2 "$list")
}

# The packages that hold a picture which is wanted and not there yet.
packages=$(while IFS=$'\t' read -r file use package _ _ _ sum; do
    if wanted "$use" && ! intact "$folder/$use/$file" "$sum"; then echo "$package"; fi
done < <(tail -n +2 "$list") | sort -u)

for package in $packages; do
    mkdir -p "$scratch/$package"
    if download "$package" "$scratch/$package" && dpkg-deb --extract "$scratch/$package"/*.deb "$scratch/$package/tree"; then
        copy_pictures "$package"
    fi
    rm -r "${scratch:?}/$package"
done

temporary=$folder/photographs.tsv.part
head -n 1 "$list" > "$temporary"
present=0 missing=0
while IFS=$'\t' read -r file use package author licence path sum; do
    if intact "$folder/$use/$file" "$sum"; then
        printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$use/$file" "$use" "$package" "$author" "$licence" "$path" "$sum" >> "$temporary"
        if wanted "$use"; then present=$((present + 1)); fi
    elif wanted "$use"; then
        missing=$((missing + 1))
    fi
done < <(tail -n +2 "$list")
mv "$temporary" "$folder/photographs.tsv"

echo "$present photographs in $folder, $missing missing"
((present > 0))
