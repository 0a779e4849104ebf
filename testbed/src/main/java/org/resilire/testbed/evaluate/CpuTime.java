package org.resilire.testbed.evaluate;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.resilire.testbed.TestbedException;

/** How much processor time a process has had, in all its threads. */
final class CpuTime {

    /** {@code USER_HZ}, the same on every Linux that programs see. */
    private static final double TICKS_A_SECOND = 100;

    private static final int USER_FIELD = 14;
    private static final int SYSTEM_FIELD = 15;

    private CpuTime() {}

    /** In seconds, by ticks of 10 ms; fields 14 and 15 of {@code /proc/PID/stat}. */
    static double seconds(final long pid) {
        try {
            final String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            // Field 2 may contain spaces and parentheses; what follows it begins with field 3.
            final String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
            return (Long.parseLong(fields[USER_FIELD - 3]) + Long.parseLong(fields[SYSTEM_FIELD - 3])) / TICKS_A_SECOND;
        } catch (final IOException gone) {
            throw new TestbedException("process " + pid + " has ended", gone);
        }
    }
}
