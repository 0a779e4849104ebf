package org.resilire.codec;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import net.jpountz.lz4.LZ4Factory;
import org.resilire.linux.MemoryMaps;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The LZ4 library: native code, or Java where that does not load. */
final class Lz4 {

    private static final Logger LOG = LoggerFactory.getLogger(Lz4.class);

    /** Where the library puts its native code; a second file of that name and {@code .lck} is beside it. */
    private static final Pattern EXTRACTED = Pattern.compile(".*/liblz4-java-\\d+\\.so");

    static final LZ4Factory FACTORY = LZ4Factory.fastestInstance();

    static {
        deleteExtracted();
    }

    private Lz4() {}

    /** Its code is mapped and needs no file any more. The library deletes it at an orderly end only, and agents are killed. */
    private static void deleteExtracted() {
        MemoryMaps.of(ProcessHandle.current().pid()).stream()
                .map(MemoryMaps.Mapping::path)
                .filter(path -> EXTRACTED.matcher(path).matches())
                .distinct()
                .forEach(path -> {
                    delete(path);
                    delete(path + ".lck");
                });
    }

    private static void delete(final String file) {
        try {
            Files.deleteIfExists(Path.of(file));
        } catch (final IOException e) {
            LOG.warn("a temporary file of the LZ4 library stays behind: {}", e.getMessage());
        }
    }
}
