package org.resilire.testbed.load;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * The acknowledged operations of one connection, in a file to which each is added before the next is sent: what a client
 * knows survives the client. One line each: kind, sequence, sent, acknowledged, value. One thread.
 */
final class OperationLog implements AutoCloseable {

    private static final int FIELDS = 5;

    private final Path file;
    private final FileChannel channel;

    private OperationLog(final Path file, final FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    static OperationLog create(final Path file) {
        try {
            return new OperationLog(
                    file,
                    FileChannel.open(
                            file,
                            StandardOpenOption.CREATE,
                            StandardOpenOption.TRUNCATE_EXISTING,
                            StandardOpenOption.WRITE));
        } catch (final IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    void append(final Operation operation) {
        final String line = operation.kind() + " " + operation.sequence() + " " + operation.sentNs() + " "
                + operation.acknowledgedNs() + " " + operation.value() + "\n";
        final ByteBuffer bytes = ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8));
        try {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        } catch (final IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /** All of them, as the file has them. */
    List<Operation> readBack() {
        return read(file);
    }

    /** The operations in a file that somebody else wrote. */
    static List<Operation> read(final Path file) {
        final List<Operation> operations = new ArrayList<>();
        try {
            for (final String line : Files.readAllLines(file)) {
                final String[] fields = line.split(" ", FIELDS);
                operations.add(new Operation(
                        Operation.Kind.valueOf(fields[0]),
                        Long.parseLong(fields[1]),
                        Long.parseLong(fields[2]),
                        Long.parseLong(fields[3]),
                        fields[4]));
            }
        } catch (final IOException failure) {
            throw new UncheckedIOException(failure);
        }
        return operations;
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (final IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
