# shellcheck shell=bash
# What the builders of the guest's image and of its disk have in common. Sourced by them.

readonly LOADER=lib64/ld-linux-x86-64.so.2
# Where Debian's packages have libraries; the last is Ceph's own, which its other libraries name by its path.
readonly LIBRARY_DIRECTORIES=(lib/x86_64-linux-gnu usr/lib/x86_64-linux-gnu usr/lib/x86_64-linux-gnu/ceph)

fail() {
    printf 'guest image: %s\n' "$*" >&2
    exit 1
}

# The kernel's package carries its version in its name; the meta package points to the newest.
resolve_kernel() {
    apt-cache depends --important "$1" | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)$/\1/p' | head -n 1
}

# Of the packages that a list names.
print_versions() {
    local list=$1 names=() name kernel
    while read -r name _; do
        case $name in
        '' | '#'*) ;;
        linux-image-*)
            kernel=$(resolve_kernel "$name")
            [ -n "$kernel" ] || fail "apt knows no kernel for $name: run 'apt-get update'"
            names+=("$kernel")
            ;;
        *) names+=("$name") ;;
        esac
    done <"$list"
    LC_ALL=C apt-cache policy "${names[@]}" | awk '
        /^[^ ]/ { name = $1; sub(/:$/, "", name) }
        $1 == "Candidate:" && $2 != "(none)" { print name "=" $2; found++ }
        END { exit found != '"${#names[@]}"' }' ||
        fail "apt does not offer all of ${names[*]}: run 'apt-get update'"
}

# Downloads what is not there yet; apt checks the hashes of what is.
download() {
    local packages=$1
    shift
    mkdir -p "$packages"
    # apt's own sandbox user may not write into this directory, so the download runs as whoever called.
    (cd "$packages" && apt-get -qq -o APT::Sandbox::User=root download "$@")
}

deb_of() {
    local name=${1%%=*} version=${1#*=} file
    for file in "$2/${name}_${version//:/%3a}"_*.deb; do
        [ -e "$file" ] || fail "$file was not downloaded"
        printf '%s\n' "$file"
    done
}

unpack() {
    local packages=$1 into=$2 package deb
    shift 2
    for package in "$@"; do
        deb=$(deb_of "$package" "$packages")
        dpkg-deb --extract "$deb" "$into"
    done
}

# Prints the libraries that programs need, as paths below the unpacked packages. The loader is the unpacked one, and
# a library found nowhere, or only on the host, means that the list of packages is incomplete.
libraries() {
    local debian=$1 packages=$2 program list name path search
    shift 2
    search=$(printf ":$debian/%s" "${LIBRARY_DIRECTORIES[@]}")
    for program in "$@"; do
        list=$("$debian/$LOADER" --inhibit-cache --list --library-path "${search#:}" "$debian/$program") ||
            fail "$program needs a library that no package in $packages has: add its package there"
        while read -r name path; do
            case $path in
            "$debian"/lib64/*) ;; # the loader itself
            "$debian"/*) printf '%s\n' "$path" ;;
            *) fail "$program needs $name, which no package in $packages has: add its package there" ;;
            esac
        done < <(sed -n 's/^[[:space:]]*\([^ ]*\) => \([^ ]*\).*/\1 \2/p' <<<"$list")
    done | sort -u
}

# Copies programs with the loader and the libraries that they need.
copy_with_libraries() {
    local debian=$1 root=$2 packages=$3 program library list
    shift 3
    mkdir -p "$root"/{lib64,lib/x86_64-linux-gnu}
    cp -L "$debian/$LOADER" "$root/$LOADER"
    for program in "$@"; do
        mkdir -p "$root/${program%/*}"
        cp -L "$debian/$program" "$root/$program"
    done
    list=$(libraries "$debian" "$packages" "$@")
    while read -r library; do
        cp -L "$library" "$root/lib/x86_64-linux-gnu/"
    done <<<"$list"
}
