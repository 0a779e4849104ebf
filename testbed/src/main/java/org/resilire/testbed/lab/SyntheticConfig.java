package org.resilire.testbed.lab;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.resilire.testbed.TestbedException;

/**
 * A synthetic guest to start: a process that writes to shared memory and answers as a QEMU would; {@code
 * testbed/synthetic/synthetic-guest.c} says more. It has no network.
 *
 * @param program the process's program
 * @param memoryMiB its memory
 * @param fillPages how many pages hold data from the start; the others are zero
 */
public record SyntheticConfig(Path program, int memoryMiB, long fillPages) {

    private static final String PROGRAM = "RESILIRE_SYNTHETIC_GUEST";

    /** With the program that {@code testbed/run} has built and named in the environment. */
    public static SyntheticConfig fromEnvironment(final int memoryMiB, final long fillPages) {
        final String program = System.getenv(PROGRAM);
        if (program == null || !Files.isExecutable(Path.of(program))) {
            throw new TestbedException(PROGRAM + " names no program: start this by testbed/run, which sets it");
        }
        return new SyntheticConfig(Path.of(program), memoryMiB, fillPages);
    }

    /** Alike on both hosts. */
    List<String> commandLine(final LabHost host) {
        return List.of(
                program.toString(),
                "-object",
                "memory-backend-file,id=ram0,size=" + memoryMiB + "M,mem-path=" + host.ramFile() + ",share=on",
                "-synthetic",
                "fill=" + fillPages);
    }
}
