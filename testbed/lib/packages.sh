# shellcheck shell=bash
# Debian packages that the test bed uses on the host.

# package, and a program or file of it by which one sees that it is there
readonly HOST_PACKAGES=(
    qemu-system-x86=qemu-system-x86_64
    qemu-utils=qemu-io
    libnbd-bin=nbdinfo
    iproute2=ip
    nftables=nft
    cpio=cpio
    kmod=depmod
    e2fsprogs=mke2fs
    zstd=zstd
    gcc=gcc
    libc6-dev=/usr/include/stdio.h
    fontconfig=fc-match
)

# iproute2, nftables and kmod install into /usr/sbin, which is not on everyone's path.
PATH=$PATH:/usr/sbin:/sbin

apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -y -o DPkg::Lock::Timeout=300 "$@"
}

update_package_lists() {
    step 'updating the lists of packages' apt update
}

missing_packages() {
    local entry
    for entry in "${HOST_PACKAGES[@]}"; do
        # `-v` knows programs only; a name without a slash is no file of whatever directory this is.
        [[ ${entry#*=} == /* && -e ${entry#*=} ]] || command -v "${entry#*=}" >/dev/null || printf '%s\n' "${entry%%=*}"
    done
}

ensure_packages() {
    local missing
    mapfile -t missing < <(missing_packages)
    [ "${#missing[@]}" -gt 0 ] || return 0
    command -v apt-get >/dev/null ||
        fail "$EXIT_UNAVAILABLE" "missing: ${missing[*]}; this is not Debian, so install these yourself"
    install_packages "${missing[@]}" ||
        fail "$EXIT_UNAVAILABLE" "could not install ${missing[*]}; once apt works again, repeat this command"
}

# Lists that are missing or too old are the usual reason for a failure, so a failure is final only after an update.
install_packages() {
    if apt -s install --no-install-recommends "$@" >/dev/null 2>&1 &&
        step "installing $*" apt install --no-install-recommends "$@"; then
        return 0
    fi
    update_package_lists && step "installing $*" apt install --no-install-recommends "$@"
}
