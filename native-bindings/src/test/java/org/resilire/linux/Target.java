package org.resilire.linux;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** A process to trace that is not this JVM's child, killed when closed. */
final class Target implements AutoCloseable {
    private static final long BOUND_NANOS = 20_000_000_000L;

    private final PidFd pidFd;
    private final Path output;

    private Target(PidFd pidFd, Path output) {
        this.pidFd = pidFd;
        this.output = output;
    }

    static Target start(Path directory, String... command) {
        try {
            Path output = Files.createTempFile(directory, "target", ".out");
            return new Target(PidFd.open(DetachedProcess.start(List.of(command), output)), output);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The shell, doing what the script says. */
    static Target shell(Path directory, String script) {
        return start(directory, "/bin/sh", "-c", script);
    }

    /** This JVM's class path, in another JVM, run by the command in the prefix (which must execute it in its own place). */
    static Target java(Path directory, String[] prefix, Class<?> main, String... arguments) {
        List<String> command = new ArrayList<>(List.of(prefix));
        command.addAll(List.of(
                ProcessHandle.current().info().command().orElseThrow(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-Xmx64m",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                main.getName()));
        command.addAll(List.of(arguments));
        return start(directory, command.toArray(String[]::new));
    }

    long pid() {
        return pidFd.pid();
    }

    PidFd pidFd() {
        return pidFd;
    }

    String output() {
        try {
            return Files.readString(output);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The number of the system call that its main thread sits in, or "running". */
    String systemCall() {
        try {
            return Files.readString(Path.of("/proc/" + pid() + "/syscall"))
                    .split(" ", 2)[0]
                    .strip();
        } catch (IOException e) {
            return "gone";
        }
    }

    /** State letter of its main thread, e.g. S, R, t. */
    String state() {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid() + "/stat"));
            return stat.substring(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
        } catch (IOException e) {
            return "gone";
        }
    }

    /** One line of its status file. */
    String statusLine(String name) {
        try (var lines = Files.lines(Path.of("/proc/" + pid() + "/status"))) {
            return lines.filter(line -> line.startsWith(name)).findFirst().orElseThrow();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** How many of its descriptors are of this kind, e.g. {@code userfaultfd}. */
    long descriptorsOf(String kind) {
        try (var descriptors = Files.list(Path.of("/proc/" + pid() + "/fd"))) {
            return descriptors.filter(descriptor -> isOf(descriptor, kind)).count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isOf(Path descriptor, String kind) {
        try {
            return Files.readSymbolicLink(descriptor).toString().contains(kind);
        } catch (IOException closedMeanwhile) {
            return false;
        }
    }

    static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + BOUND_NANOS;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("in vain: " + what);
            }
            LockSupport.parkNanos(500_000);
        }
    }

    @Override
    public void close() {
        try {
            if (!pidFd.hasExited()) {
                pidFd.kill();
                pidFd.awaitExit(BOUND_NANOS);
            }
        } finally {
            pidFd.close();
        }
    }
}
