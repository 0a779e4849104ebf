# shellcheck shell=bash
# Removes what the test bed leaves behind, and nothing else: processes only when they are the ones that were recorded.

# Field 22 of /proc/PID/stat: when the process started. The name in field 2 may contain spaces and parentheses.
start_time() {
    local stat fields
    { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 0
    read -ra fields <<<"${stat##*) }"
    printf '%s\n' "${fields[19]}"
}

# A process number alone proves nothing, since numbers are used again.
is_recorded_process() {
    [[ $1 =~ ^[1-9][0-9]*$ && $2 =~ ^[0-9]+$ ]] && [ "$1" -ne 1 ] && [ "$(start_time "$1")" = "$2" ]
}

stop_process() {
    local pid=$1 started=$2 try
    kill -TERM "$pid" 2>/dev/null || return 0
    for ((try = 0; try < 30; try++)); do
        is_recorded_process "$pid" "$started" || return 0
        sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || return 0
}

clean_processes() {
    local file pid started
    for file in /run/resilire-testbed-*/*.pid; do
        [ -f "$file" ] || continue
        pid='' started=''
        read -r pid started _ <"$file" || true
        is_recorded_process "$pid" "$started" || continue
        say "stopping process $pid (${file##*/})"
        stop_process "$pid" "$started"
    done
}

# A veth that is inside a namespace goes with it; what is left here are ends whose creator died before moving them.
clean_network() {
    local name
    while read -r name _; do
        [[ $name == rsl-* ]] || continue
        say "removing network namespace $name"
        ip netns delete "$name" || say "  it stays; 'ip netns pids $name' shows who uses it"
    done < <(ip netns list 2>/dev/null)
    while IFS=': ' read -r _ name _; do
        name=${name%%@*}
        [[ $name == rsl-* ]] || continue
        # Its other end may have taken it along already.
        if ip link delete "$name" 2>/dev/null; then
            say "removing network interface $name"
        fi
    done < <(ip -o link show 2>/dev/null)
}

# An agent that protects a guest of this host in earnest keeps its buffers beside those of the test bed. Mapped by somebody, a file
# is no leftover: what was recorded is stopped by now.
is_in_use() {
    grep -qs -e " $1/" -e " $1\$" /proc/[0-9]*/maps
}

clean_files() {
    local path
    for path in /dev/shm/resilire-* /run/resilire-testbed-* /var/tmp/resilire-testbed-*; do
        [ -e "$path" ] || [ -L "$path" ] || continue
        if is_in_use "$path"; then
            say "leaving $path, which somebody uses"
            continue
        fi
        say "removing $path"
        rm -rf -- "$path"
    done
}

# Only what this script put there, so that a RESILIRE_CACHE set by mistake costs nobody their files.
clean_cache() {
    local cache
    cache=$(cache_directory)
    [ -e "$cache/CACHEDIR.TAG" ] || return 0
    say "removing $cache"
    lock_cache "$cache"
    rm -rf "$cache/images" "$cache/disks" "$cache/packages"
    rm -f "$cache/CACHEDIR.TAG" "$cache/lock"
    unlock_cache
    rmdir "$cache" 2>/dev/null || say "  it stays, because there is something else in it"
}

clean() {
    clean_processes
    if command -v ip >/dev/null; then
        clean_network
    fi
    clean_files
    clean_cache
    say "clean"
}
