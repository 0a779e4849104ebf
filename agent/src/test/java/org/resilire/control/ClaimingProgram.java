package org.resilire.control;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;

/** Another agent's process: claims a run directory, says so, and holds it until its input ends or it is killed. */
final class ClaimingProgram {

    static final String CLAIMED = "claimed";

    private ClaimingProgram() {}

    public static void main(final String[] arguments) throws IOException {
        try (RunDirectory.Claim claim = RunDirectory.under(Path.of(arguments[0]), arguments[1], AgentRole.PRIMARY)
                .claim()) {
            System.out.println(CLAIMED + " " + claim.directory());
            System.in.readAllBytes();
        }
    }

    static Process start(final Path base, final String vmName) throws IOException {
        final String classPath = location(RunDirectory.class) + ":" + location(ClaimingProgram.class);
        final Path java = Path.of(System.getProperty("java.home"), "bin", "java");
        return new ProcessBuilder(
                        java.toString(), "-cp", classPath, ClaimingProgram.class.getName(), base.toString(), vmName)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    private static String location(final Class<?> type) {
        return Path.of(URI.create(
                        type.getProtectionDomain().getCodeSource().getLocation().toString()))
                .toString();
    }
}
