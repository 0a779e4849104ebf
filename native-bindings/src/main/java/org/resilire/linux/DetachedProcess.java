package org.resilire.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Starts processes that are nobody's children: in a session of their own, untouched by this JVM's end, and open to
 * {@link Ptrace} (the JVM would take a ptrace stop of its own child for the child's end). Follow them with {@link PidFd}.
 */
public final class DetachedProcess {
    /** setsid executes the command in its own place, so the number printed is the command's. */
    private static final String SCRIPT = "out=$1; shift; setsid \"$@\" </dev/null >>\"$out\" 2>&1 & echo $!";

    private DetachedProcess() {}

    /**
     * Starts a command with an empty standard input and returns its pid.
     *
     * @param output file to which standard output and error are appended, e.g. {@code /dev/null}
     */
    public static long start(List<String> command, Path output) {
        List<String> shell = new ArrayList<>(List.of("/bin/sh", "-c", SCRIPT, "sh", output.toString()));
        shell.addAll(command);
        String object = command.getFirst();
        try {
            Process process = new ProcessBuilder(shell)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            try (var stdout = process.getInputStream()) {
                String pid = new String(stdout.readAllBytes(), StandardCharsets.US_ASCII).strip();
                process.waitFor();
                return Long.parseLong(pid);
            }
        } catch (IOException | NumberFormatException e) {
            throw failed(object, Errno.EIO, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failed(object, Errno.EINTR, e);
        }
    }

    private static LinuxException failed(String object, Errno errno, Exception cause) {
        LinuxException failure = new LinuxException("start", object, errno);
        failure.initCause(cause);
        return failure;
    }
}
