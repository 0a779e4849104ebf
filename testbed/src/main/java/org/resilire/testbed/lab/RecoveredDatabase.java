package org.resilire.testbed.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.resilire.testbed.TestbedException;

/**
 * The database on a copy of a guest's disk, recovered as after a power failure by its own server, which runs on this host in a
 * root made of the disk's files. One thread.
 */
public final class RecoveredDatabase implements AutoCloseable {

    private static final String POSTGRESQL = "/usr/lib/postgresql/15/bin/";
    private static final String DATA = "/var/lib/postgresql/data";
    private static final String SOCKETS = "/run/postgresql";
    private static final String DATABASE = "bench";
    private static final String POSTGRES_ID = "110:110";
    private static final Duration RECOVERY_LIMIT = Duration.ofSeconds(60);

    private final Path root;
    private final LabProcess server;

    private RecoveredDatabase(final Path root, final LabProcess server) {
        this.root = root;
        this.server = server;
    }

    /**
     * Starts the server and waits until it has recovered.
     *
     * @param copy of the disk; its file system must be in order
     * @param root an empty directory for its files
     */
    public static RecoveredDatabase start(final Lab lab, final Path copy, final Path root) {
        try {
            Files.createDirectories(root);
        } catch (final IOException failure) {
            throw new UncheckedIOException(failure);
        }
        DiskCheck.extract(copy, root);
        // Only the file system of a running guest has the directory that this is in.
        Commands.run("mkdir", "-p", "-m", "1777", root.resolve("dev/shm").toString());
        final LabProcess server = lab.start(
                "recovered-database",
                lab.hostB().namespace(),
                inRoot(
                        root,
                        "postgres",
                        List.of(
                                "-D",
                                DATA,
                                "-c",
                                "listen_addresses=",
                                "-c",
                                "fsync=off",
                                "-c",
                                "log_min_messages=log")));
        final RecoveredDatabase database = new RecoveredDatabase(root, server);
        Await.until(
                () -> database.answers() || !server.isAlive(),
                RECOVERY_LIMIT,
                Duration.ofMillis(50),
                () -> "PostgreSQL did not recover within " + RECOVERY_LIMIT.toSeconds() + " s" + server.logTail());
        if (!server.isAlive()) {
            throw new TestbedException("PostgreSQL could not recover" + server.logTail());
        }
        return database;
    }

    private static List<String> inRoot(final Path root, final String program, final List<String> arguments) {
        final List<String> command =
                new ArrayList<>(List.of("chroot", "--userspec=" + POSTGRES_ID, root.toString(), POSTGRESQL + program));
        command.addAll(arguments);
        return command;
    }

    private boolean answers() {
        return run("psql", List.of("-h", SOCKETS, "-At", "-c", "SELECT 1", DATABASE))
                        .exitStatus()
                == 0;
    }

    private Commands.Outcome run(final String program, final List<String> arguments) {
        return Commands.outcome(inRoot(root, program, arguments).toArray(String[]::new));
    }

    /** The rows of a query, columns between tabs. */
    public List<String> query(final String sql) {
        final Commands.Outcome outcome =
                run("psql", List.of("-h", SOCKETS, "-X", "-c", "COPY (" + sql + ") TO STDOUT", DATABASE));
        if (outcome.exitStatus() != 0) {
            throw new TestbedException("the recovered database does not answer: " + outcome.output());
        }
        return outcome.output().lines().toList();
    }

    /** Whether tables and indexes are sound and fit each other; empty if they do. */
    public Optional<String> amcheckComplaint() {
        return complaint("pg_amcheck", List.of("-h", SOCKETS, "--heapallindexed", "--parent-check", DATABASE));
    }

    /** Ends the server and looks at every page's checksum; empty if all are right. */
    public Optional<String> checksumComplaint() {
        close();
        return complaint("pg_checksums", List.of("--check", "-D", DATA));
    }

    private Optional<String> complaint(final String program, final List<String> arguments) {
        final Commands.Outcome outcome = run(program, arguments);
        return outcome.exitStatus() == 0 ? Optional.empty() : Optional.of(program + ": " + outcome.output());
    }

    /** Ends the server in good order. */
    @Override
    public void close() {
        if (server.isAlive()) {
            server.terminate();
            server.awaitEnd(RECOVERY_LIMIT);
        }
    }
}
