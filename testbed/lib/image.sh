# shellcheck shell=bash
# The guest image: built when its inputs change, kept in the cache.
#
#   CACHE/packages/         downloaded .deb files
#   CACHE/images/HASH/      kernel, initrd and the synthetic guest, complete whenever the directory exists
#   CACHE/images/.build-*   one that is being built, or was when it was interrupted
#   CACHE/lock              held by whoever builds or cleans

readonly GUEST_BUILDER=$RESILIRE_HOME/testbed/guest/build

guest_versions() {
    local versions
    if versions=$("$GUEST_BUILDER" versions 2>/dev/null); then
        printf '%s\n' "$versions"
        return
    fi
    update_package_lists && "$GUEST_BUILDER" versions
}

# Everything that decides what the image contains.
image_key() {
    local versions=$1
    {
        printf '%s\n' "$versions"
        (cd "$RESILIRE_HOME/testbed/guest" && find build rootfs workload ../synthetic -type f -exec sha256sum {} + | LC_ALL=C sort -k 2)
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
    local cache=$1 image=$2 versions=$3 building
    mkdir -p "$cache/images"
    rm -rf "$cache"/images/.build-*
    building=$(mktemp -d "$cache/images/.build-XXXXXX")
    # shellcheck disable=SC2064 # the directory as it is called now
    trap "rm -rf '$building'" EXIT
    # With these, bash waits for the builder before it goes; without, the builder would write on into a removed directory.
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    step 'building the guest image' "$GUEST_BUILDER" image "$cache/packages" "$building" <<<"$versions" || return
    chmod 755 "$building"
    mv -T "$building" "$image"
    trap - EXIT HUP INT TERM
}

# Prints nothing and returns at once when the image is there.
obtain_image() {
    local cache=$1 image=$2 versions=$3 status=0
    [ ! -d "$image" ] || return 0
    lock_cache "$cache"
    # Somebody else may have built it while this one waited.
    [ -d "$image" ] || build_image "$cache" "$image" "$versions" || status=$?
    unlock_cache
    return "$status"
}

# Exports the image's files, and the kernel command line that fits it (guest/README.md says why).
ensure_image() {
    local cache image versions newer
    cache=$(cache_directory)
    create_cache "$cache"
    versions=$(guest_versions) ||
        fail "$EXIT_UNAVAILABLE" "apt does not offer the guest's packages: the test bed needs Debian 12 and its package sources"
    image=$cache/images/$(image_key "$versions")
    if ! obtain_image "$cache" "$image" "$versions"; then
        # Old lists name versions that the archive no longer has.
        update_package_lists || fail "$EXIT_UNAVAILABLE" "no guest image"
        newer=$("$GUEST_BUILDER" versions)
        [ "$newer" != "$versions" ] || fail "$EXIT_UNAVAILABLE" "no guest image: see above what went wrong, then repeat this command"
        image=$cache/images/$(image_key "$newer")
        obtain_image "$cache" "$image" "$newer" || fail "$EXIT_UNAVAILABLE" "no guest image: see above what went wrong"
    fi
    export RESILIRE_GUEST_KERNEL=$image/kernel RESILIRE_GUEST_INITRD=$image/initrd
    export RESILIRE_SYNTHETIC_GUEST=$image/synthetic-guest
    RESILIRE_GUEST_CMDLINE=$(<"$RESILIRE_HOME/testbed/guest/cmdline")
    export RESILIRE_GUEST_CMDLINE
}
