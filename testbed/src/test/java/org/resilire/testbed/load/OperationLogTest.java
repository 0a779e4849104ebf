package org.resilire.testbed.load;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OperationLogTest {

    @TempDir
    private Path directory;

    @Test
    void shouldReadBackWhatWasAppendedWhileItIsOpen() {
        final List<Operation> operations = List.of(
                new Operation(Operation.Kind.SET, 1, 10, 20, "1-1-abc"),
                new Operation(Operation.Kind.INCR, 1, 30, 40, "1"),
                new Operation(Operation.Kind.GET_PAGE, 7, 50, 60, ""));
        try (OperationLog log = OperationLog.create(directory.resolve("operations"))) {
            operations.forEach(log::append);

            assertEquals(operations, log.readBack());
        }
    }
}
