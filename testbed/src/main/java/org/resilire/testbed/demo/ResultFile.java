package org.resilire.testbed.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.resilire.testbed.TestbedException;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** Results for programs. */
final class ResultFile {

    /** Keys in the order of the records. */
    private static final JsonMapper JSON = JsonMapper.builder()
            .disable(MapperFeature.SORT_PROPERTIES_ALPHABETICALLY)
            .enable(SerializationFeature.INDENT_OUTPUT)
            .build();

    private ResultFile() {}

    /** Whether the result can be written, found out before it takes minutes to get it. */
    static void requireWritable(final Path file) {
        final Path directory = file.toAbsolutePath().getParent();
        if (!Files.isDirectory(directory) || !Files.isWritable(directory) || Files.isDirectory(file)) {
            throw new TestbedException("cannot write " + file + ": give a file in a directory that exists");
        }
    }

    /** Writes it in place of what is there. */
    static void write(final Path file, final Object result) {
        try {
            Files.writeString(file, JSON.writeValueAsString(result) + "\n");
        } catch (final IOException failure) {
            throw new TestbedException("cannot write " + file + ": " + failure.getMessage(), failure);
        }
    }
}
