package org.resilire.codec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.resilire.linux.MemoryMaps;

class Lz4Test {

    /** A process that is killed does not tidy up. */
    @Test
    void shouldLeaveNoFileBehindWhateverEndsTheProcess() {
        assertEquals("LZ4Factory:JNI", Lz4.FACTORY.toString());
        final List<Path> files = MemoryMaps.of(ProcessHandle.current().pid()).stream()
                .map(MemoryMaps.Mapping::path)
                .filter(path -> path.contains("liblz4-java-"))
                .map(Path::of)
                .toList();
        assertFalse(files.isEmpty());
        assertEquals(List.of(), files.stream().filter(Files::exists).toList());
    }
}
