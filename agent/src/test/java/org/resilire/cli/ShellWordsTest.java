package org.resilire.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

class ShellWordsTest {

    @Command
    private static final class Nothing {}

    private final CommandSpec spec = new CommandLine(new Nothing()).getCommandSpec();

    private List<String> split(final String line) {
        return ShellWords.split(line, spec);
    }

    @Test
    void shouldSplitAsAShellDoes() {
        assertEquals(List.of("qemu", "-m", "512M"), split("  qemu\t-m \n 512M "));
        assertEquals(List.of("a b", "c\"d", "e'f"), split("'a b' 'c\"d' \"e'f\""));
        assertEquals(List.of("a b", "\\n", "$x", "\\"), split("a\\ b '\\n' \"\\$x\" \"\\\\\""));
        assertEquals(List.of("file=/tmp/x y,if=none"), split("file=\"/tmp/x y\",if=none"));
        assertEquals(List.of("", "x", ""), split("'' x \"\""));
        assertEquals(List.of("\\q"), split("\"\\q\""));
    }

    @Test
    void shouldRefuseWhatAShellWouldGoOnReading() {
        assertThrows(ParameterException.class, () -> split("qemu 'abc"));
        assertThrows(ParameterException.class, () -> split("qemu \"abc"));
        assertThrows(ParameterException.class, () -> split(" \t "));
    }
}
