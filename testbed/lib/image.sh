# shellcheck shell=bash
# What guests boot and have: built when its inputs change, kept in the cache.
#
#   CACHE/packages/         downloaded .deb files
#   CACHE/images/HASH/      kernel, initrd and the synthetic guest, complete whenever the directory exists
#   CACHE/disks/HASH/       the disk of guests that have one, and its programs as files, likewise
#   CACHE/*/.build-*        one that is being built, or was when it was interrupted
#   CACHE/lock              held by whoever builds or cleans

readonly GUEST=$RESILIRE_HOME/testbed/guest
readonly GUEST_BUILDER=$GUEST/build
readonly DISK_BUILDER=$GUEST/disk/build

guest_versions() {
    local builder=$1 versions
    if versions=$("$builder" versions 2>/dev/null); then
        printf '%s\n' "$versions"
        return
    fi
    update_package_lists && "$builder" versions
}

# Everything that decides what a builder makes.
image_key() {
    local versions=$1
    shift
    {
        printf '%s\n' "$versions"
        (cd "$GUEST" && find "$@" -type f -exec sha256sum {} + | LC_ALL=C sort -k 2)
    } | sha256sum | cut -c 1-16
}

lock_cache() {
    exec {CACHE_LOCK}>"$1/lock"
    flock -n "$CACHE_LOCK" && return
    say "waiting for another testbed/run to finish with $1 …"
    flock "$CACHE_LOCK"
}

unlock_cache() {
    exec {CACHE_LOCK}>&-
}

# Builds beside the final place and renames: an image is there whole or not at all.
build_image() {
    local what=$1 builder=$2 cache=$3 image=$4 versions=$5 parent=${4%/*} building
    mkdir -p "$parent"
    rm -rf "$parent"/.build-*
    building=$(mktemp -d "$parent/.build-XXXXXX")
    # shellcheck disable=SC2064 # the directory as it is called now
    trap "rm -rf '$building'" EXIT
    # With these, bash waits for the builder before it goes; without, the builder would write on into a removed directory.
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    step "building $what" "$builder" image "$cache/packages" "$building" <<<"$versions" || return
    chmod 755 "$building"
    mv -T "$building" "$image"
    trap - EXIT HUP INT TERM
}

# Prints nothing and returns at once when the image is there.
obtain_image() {
    local what=$1 builder=$2 cache=$3 image=$4 versions=$5 status=0
    [ ! -d "$image" ] || return 0
    lock_cache "$cache"
    # Somebody else may have built it while this one waited.
    [ -d "$image" ] || build_image "$what" "$builder" "$cache" "$image" "$versions" || status=$?
    unlock_cache
    return "$status"
}

# Sets IMAGE to a directory with what a builder makes: of its inputs, which are files and directories of the guest's.
ensure_built() {
    local what=$1 kind=$2 builder=$3 cache versions newer
    shift 3
    cache=$(cache_directory)
    create_cache "$cache"
    versions=$(guest_versions "$builder") ||
        fail "$EXIT_UNAVAILABLE" "apt does not offer the guest's packages: the test bed needs Debian 12 and its package sources"
    IMAGE=$cache/$kind/$(image_key "$versions" "$@")
    if ! obtain_image "$what" "$builder" "$cache" "$IMAGE" "$versions"; then
        # Old lists name versions that the archive no longer has.
        update_package_lists || fail "$EXIT_UNAVAILABLE" "$what is missing"
        newer=$("$builder" versions)
        [ "$newer" != "$versions" ] || fail "$EXIT_UNAVAILABLE" "$what is missing: see above what went wrong, then repeat this command"
        IMAGE=$cache/$kind/$(image_key "$newer" "$@")
        obtain_image "$what" "$builder" "$cache" "$IMAGE" "$newer" || fail "$EXIT_UNAVAILABLE" "$what is missing: see above what went wrong"
    fi
}

# Exports the image's files, and the kernel command line that fits it (guest/README.md says why).
ensure_image() {
    ensure_built 'the guest image' images "$GUEST_BUILDER" build lib.sh rootfs workload ../synthetic
    export RESILIRE_GUEST_KERNEL=$IMAGE/kernel RESILIRE_GUEST_INITRD=$IMAGE/initrd
    export RESILIRE_SYNTHETIC_GUEST=$IMAGE/synthetic-guest
    RESILIRE_GUEST_CMDLINE=$(<"$GUEST/cmdline")
    export RESILIRE_GUEST_CMDLINE
}

# Exports the disk of guests that have one, and where the same programs are on this host.
ensure_disk() {
    ensure_built "the guest's disk" disks "$DISK_BUILDER" disk lib.sh
    export RESILIRE_GUEST_DISK=$IMAGE/disk.raw RESILIRE_GUEST_PROGRAMS=$IMAGE/root
}
