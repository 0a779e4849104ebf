package org.resilire.control;

import java.io.IOException;
import java.nio.file.Path;

/** A file that should hold an agent's counters does not. */
public final class CountersFileException extends IOException {

    private static final long serialVersionUID = 1L;

    CountersFileException(final Path file, final String problem) {
        super(file + " " + problem);
    }
}
