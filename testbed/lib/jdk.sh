# shellcheck shell=bash
# Finds the JDK that launched programs run on. Maven finds its own through the toolchains plugin.

readonly JDK_VERSION=25

# Prints the major version of the JDK in a directory, or nothing if there is none. Its release file answers without starting it.
jdk_version() {
    [ -x "$1/bin/javac" ] && [ -r "$1/release" ] || return 0
    sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release"
}

jdk_candidates() {
    local path
    [ -z "${JAVA_HOME-}" ] || printf '%s\n' "$JAVA_HOME"
    if path=$(command -v javac); then
        path=$(readlink -f "$path")
        printf '%s\n' "${path%/bin/javac}"
    fi
    for path in /usr/lib/jvm/*/; do
        printf '%s\n' "${path%/}"
    done
}

find_jdk() {
    local directory version seen=()
    while read -r directory; do
        version=$(jdk_version "$directory")
        [ -n "$version" ] || continue
        if [ "$version" -ge "$JDK_VERSION" ]; then
            printf '%s\n' "$directory"
            return 0
        fi
        seen+=("$version in $directory")
    done < <(jdk_candidates)
    say "testbed/run: no JDK $JDK_VERSION or newer (looked at JAVA_HOME, PATH and /usr/lib/jvm; found: ${seen[*]:-none})."
    say "Install one, or set JAVA_HOME to its directory."
    return 1
}

ensure_maven() {
    command -v mvn >/dev/null || fail "$EXIT_UNAVAILABLE" "Maven is missing: run 'apt-get install maven', or put mvn on the PATH"
}
