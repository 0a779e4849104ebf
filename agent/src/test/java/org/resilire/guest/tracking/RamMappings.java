package org.resilire.guest.tracking;

import java.nio.file.Path;
import org.resilire.linux.MemoryMaps;

/** For tests: a process's mapping of a file, by path. */
final class RamMappings {

    private RamMappings() {}

    static RamMapping of(final long pid, final Path file) {
        return RamMapping.of(
                pid,
                MemoryMaps.of(pid).stream()
                        .filter(mapping -> mapping.path().equals(file.toString()))
                        .toList());
    }
}
