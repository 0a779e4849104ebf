package org.resilire.testbed.lab;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.resilire.testbed.TestbedException;

/** The guest on host A. Any thread. */
public final class GuestProcess implements AutoCloseable {

    private static final Duration BOOT_LIMIT = Duration.ofSeconds(90);
    private static final String READY = "RESILIRE-GUEST-READY";
    private static final String DISK_READY = "RESILIRE-DISK-READY";

    private final LabProcess process;
    private final LabHost host;
    private final Path serialLog;

    private GuestProcess(final LabProcess process, final LabHost host, final Path serialLog) {
        this.process = process;
        this.host = host;
        this.serialLog = serialLog;
    }

    /** Starts the guest and returns at once; see {@link #awaitReady()}. */
    public static GuestProcess start(final Lab lab, final GuestConfig guest) {
        final Path serialLog = serialLog(lab, lab.hostA());
        forget(serialLog);
        final LabProcess process = lab.start(
                Lab.QEMU_A,
                lab.hostA().namespace(),
                QemuCommandLine.primary("resilire-" + lab.id() + "-a", guest, lab.hostA(), serialLog));
        return new GuestProcess(process, lab.hostA(), serialLog);
    }

    /** Starts a QEMU on host B that can be told where to wait for a guest's migration, and that leaves it paused. */
    public static GuestProcess receive(final Lab lab, final GuestConfig guest) {
        final LabHost host = lab.hostB();
        final Path serialLog = serialLog(lab, host);
        final List<String> command = QemuCommandLine.primary("resilire-" + lab.id() + "-b", guest, host, serialLog);
        command.addAll(List.of("-S", "-incoming", "defer"));
        final GuestProcess process = new GuestProcess(lab.start("qemu-b", host.namespace(), command), host, serialLog);
        Await.until(process::answers, BOOT_LIMIT, () -> "the receiving QEMU did not start" + process.process.logTail());
        return process;
    }

    /** Starts a synthetic guest and waits until it can be talked to; it writes nothing yet. */
    public static GuestProcess start(final Lab lab, final SyntheticConfig guest) {
        final LabHost host = lab.hostA();
        final List<String> command = new ArrayList<>(guest.commandLine(host));
        command.addAll(List.of("-qmp", "unix:" + host.qmpSocket()));
        command.addAll(List.of("-qmp", "unix:" + host.measurementSocket()));
        final LabProcess process = lab.start(Lab.QEMU_A, host.namespace(), command);
        final GuestProcess started = new GuestProcess(process, host, serialLog(lab, host));
        Await.until(
                () -> started.answers() || !process.isAlive(),
                BOOT_LIMIT,
                () -> "the synthetic guest did not start within " + BOOT_LIMIT.toSeconds() + " s");
        if (!process.isAlive()) {
            throw new TestbedException(
                    "the synthetic guest ended with exit status " + process.exitStatus() + process.logTail());
        }
        return started;
    }

    private boolean answers() {
        if (!Files.exists(host.measurementSocket())) {
            return false;
        }
        try (QmpClient qmp = openQmp()) {
            qmp.execute(QmpClient.encode("query-status", Map.of()));
            return true;
        } catch (final TestbedException notYet) {
            return false;
        }
    }

    /** An earlier guest's readiness must not be taken for this one's. */
    private static void forget(final Path serialLog) {
        try {
            Files.deleteIfExists(serialLog);
        } catch (final IOException failure) {
            throw new TestbedException("cannot remove " + serialLog + ": " + failure.getMessage(), failure);
        }
    }

    static Path serialLog(final Lab lab, final LabHost host) {
        return lab.logs().resolve("console-" + host.label() + ".log").toAbsolutePath();
    }

    /** Waits until Redis and the web server answer inside the guest. */
    public GuestProcess awaitReady() {
        return awaitOnConsole(READY);
    }

    /** Waits until the services of its disk answer inside the guest, if it has the disk with services. */
    public GuestProcess awaitDiskReady() {
        return awaitOnConsole(DISK_READY);
    }

    private GuestProcess awaitOnConsole(final String text) {
        Await.until(() -> hasSaid(text) || !process.isAlive(), BOOT_LIMIT, this::bootComplaint);
        if (!process.isAlive()) {
            throw new TestbedException("QEMU ended with exit status " + process.exitStatus() + process.logTail());
        }
        return this;
    }

    private boolean hasSaid(final String text) {
        try {
            return Files.exists(serialLog)
                    && Files.readString(serialLog, StandardCharsets.ISO_8859_1).contains(text);
        } catch (final IOException failure) {
            throw new TestbedException("cannot read the guest's console: " + failure.getMessage(), failure);
        }
    }

    private String bootComplaint() {
        return "the guest did not boot within " + BOOT_LIMIT.toSeconds() + " s; its console is in " + serialLog;
    }

    /** A control session of the test bed's own; the agent has another. */
    public QmpClient openQmp() {
        return QmpClient.open(host.measurementSocket());
    }

    public LabProcess process() {
        return process;
    }

    /** What the guest's kernel and services said. */
    public Path serialLog() {
        return serialLog;
    }

    @Override
    public void close() {
        process.close();
    }
}
