# shellcheck shell=bash
# Messages, progress and the places everything is kept. Sourced by testbed/run.
# shellcheck disable=SC2034 # the constants are for the files that source this one

readonly EXIT_USAGE=64
readonly EXIT_UNAVAILABLE=69
readonly EXIT_NEEDS_ROOT=77
readonly CACHE_TAG='Signature: 8a477f597d28d172789f06886806bc55'

RESILIRE_HOME=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly RESILIRE_HOME

say() {
    printf '%s\n' "$*" >&2
}

fail() {
    local status=$1
    shift
    printf 'testbed/run: %s\n' "$*" >&2
    exit "$status"
}

# Runs a program, saying what it is for and how long it took. Its output is shown only when it fails.
step() {
    local what=$1 log name status=0 start=$SECONDS
    shift
    # Without a name from the start: an interruption leaves nothing behind.
    name=$(mktemp)
    exec {log}<>"$name"
    rm -f "$name"
    printf '%s … ' "$what" >&2
    "$@" >"/proc/self/fd/$log" 2>&1 || status=$?
    if [ "$status" -eq 0 ]; then
        printf 'done in %d s\n' "$((SECONDS - start))" >&2
    else
        printf 'failed (exit status %d):\n' "$status" >&2
        sed 's/^/  | /' "/proc/self/fd/$log" >&2
    fi
    exec {log}>&-
    return "$status"
}

cache_directory() {
    printf '%s\n' "${RESILIRE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/resilire}"
}

# The tag tells `clean` and backup programs that the directory is a cache.
create_cache() {
    local cache=$1
    mkdir -p "$cache" || fail "$EXIT_UNAVAILABLE" "cannot create the cache $cache: set RESILIRE_CACHE to a directory that can be written"
    [ -e "$cache/CACHEDIR.TAG" ] || printf '%s\n' "$CACHE_TAG" >"$cache/CACHEDIR.TAG"
}

require_root() {
    [ "$(id -u)" -eq 0 ] && return
    printf 'Network namespaces and the tracking of guest memory need root. Run: sudo %s%s\n' "$0" "${*:+ $*}" >&2
    exit "$EXIT_NEEDS_ROOT"
}
