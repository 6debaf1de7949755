#!/usr/bin/env bash
# Fetches the photographs that the shipped models are trained, validated and shown on.
#
# They are real photographs under free licences, taken from packages of the distribution. None is part of Sonolux:
# photographs.tsv beside this script names each with its package, author, licence and SHA-256, and what it is for.
# Authors and licences are those of the packages' copyright files; for plasma-workspace-wallpapers those of the
# metadata.json beside each picture (the copyright file has GPL-2+ for the package as a whole), for python3-skimage
# those of skimage/data/_fetchers.py, for python3-sklearn those of the README.txt beside the pictures.
# Nothing is installed and no root is needed; the packages are downloaded, unpacked and thrown away.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
list=$here/photographs.tsv

usage() {
    cat <<END
usage: models/photographs.sh FOLDER [USE ...]

Puts the photographs of models/photographs.tsv into FOLDER/USE and writes FOLDER/photographs.tsv, the list of those
that are there. USE is training, validation or demonstration; all three unless some are named.
Demonstration alone downloads 23 MB, everything 190 MB. What is there already is not downloaded again.

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

for tool in apt-get dpkg-deb sha256sum; do
    command -v $tool > /dev/null || { echo "photographs.sh: $tool is needed and was not found" >&2; exit 1; }
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

# The packages that hold a picture which is wanted and not there yet.
packages=$(while IFS=$'\t' read -r file use package _ _ _ sum; do
    if wanted "$use" && ! intact "$folder/$use/$file" "$sum"; then echo "$package"; fi
done < <(tail -n +2 "$list") | sort -u)

for package in $packages; do
    mkdir -p "$scratch/$package"
    if ! (cd "$scratch/$package" && apt-get download -qq -o APT::Sandbox::User="$(id -un)" "$package") 2> "$scratch/log"; then
        warn "package $package could not be downloaded: $(tail -n 1 "$scratch/log")"
        continue
    fi
    dpkg-deb --extract "$scratch/$package"/*.deb "$scratch/$package/tree"
    rm "$scratch/$package"/*.deb
done

temporary=$folder/photographs.tsv.part
head -n 1 "$list" > "$temporary"
present=0 missing=0
while IFS=$'\t' read -r file use package author licence path sum; do
    target=$folder/$use/$file
    source=$scratch/$package/tree/$path
    if wanted "$use" && ! intact "$target" "$sum"; then
        if [[ ! -f $source ]]; then
            warn "$file is missing: package $package has no $path"
            missing=$((missing + 1))
        elif ! intact "$source" "$sum"; then
            warn "$file is left out: $path of package $package is not the picture of models/photographs.tsv (SHA-256)"
            missing=$((missing + 1))
        else
            mkdir -p "$folder/$use"
            cp "$source" "$target.part"
            mv "$target.part" "$target"
        fi
    fi
    if intact "$target" "$sum"; then
        printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$use/$file" "$use" "$package" "$author" "$licence" "$path" "$sum" >> "$temporary"
        if wanted "$use"; then present=$((present + 1)); fi
    fi
done < <(tail -n +2 "$list")
mv "$temporary" "$folder/photographs.tsv"

echo "$present photographs in $folder, $missing missing"
((present > 0))
