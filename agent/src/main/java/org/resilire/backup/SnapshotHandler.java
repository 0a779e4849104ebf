package org.resilire.backup;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.resilire.control.ControlException;
import org.resilire.control.ControlHandler;
import org.resilire.control.ControlProgress;
import org.resilire.disk.DiskImageException;
import org.resilire.disk.DiskTrial;
import org.resilire.disk.ReplicaDisks;
import org.resilire.guest.qemu.ReplicaFile;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The control command {@code snapshot}: copies the replica and the device state of one epoch into files, for a test of the standby that
 * some other process makes. Protection goes on meanwhile.
 *
 * <pre>
 *   → {"command":"snapshot"}
 *   ← {"ok":true,"directory":"/dev/shm/…/copy","ram":"…/ram","deviceState":"…/device-state","epoch":4711,"generation":1,
 *      "copyMillis":812.4,"copiedPages":70123,"earlyPages":431,"replica":"/dev/shm/db.ram","qemu":["qemu-system-x86_64",…],
 *      "disks":[{"socket":"/run/resilire/db.disks/d0.nbd","trialSocket":"/dev/shm/…/copy/d0.nbd"}]}
 * </pre>
 *
 * The files are removed by whoever asked, at the latest by the next one who does. The disks are served from here, as they are at that epoch
 * and with what is written to them, until a moment after the one who uses them has gone ({@link DiskTrial}).
 */
final class SnapshotHandler implements ControlHandler, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(SnapshotHandler.class);

    /** Left for the replica, which grows where the guest uses memory for the first time: it is more important than any copy. */
    private static final long SPARE_BYTES = 64L << 20;

    private static final long LOOK_MILLIS = 100;
    private static final long PROGRESS_LOOKS = 20;
    private static final long DISK_LIMIT_NANOS = 20_000_000_000L;

    private final BackupConfig config;
    private final Path directory;
    private final BackupLink link;
    private final AtomicBoolean busy = new AtomicBoolean();
    private volatile Optional<DiskTrial> trial = Optional.empty();

    /** @param directory made when it is needed */
    SnapshotHandler(final BackupConfig config, final Path directory, final BackupLink link) {
        this.config = config;
        this.directory = directory;
        this.link = link;
    }

    @Override
    public ObjectNode handle(final JsonNode request, final ControlProgress progress) throws InterruptedException {
        if (!busy.compareAndSet(false, true)) {
            throw new ControlException("a copy is being made already");
        }
        try {
            return copy(progress);
        } catch (final IOException e) {
            throw new ControlException("the replica cannot be copied: " + e.getMessage());
        } finally {
            busy.set(false);
        }
    }

    private ObjectNode copy(final ControlProgress progress) throws IOException, InterruptedException {
        final Path ram = directory.resolve("ram");
        if (Files.exists(ram) && ReplicaFile.isMapped(ram)) {
            throw new ControlException("another test uses the copy in " + directory + "; wait until it has ended");
        }
        endTrial();
        remove();
        Files.createDirectory(
                directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        final long lengthBytes = link.replica().memory().lengthBytes();
        requireRoom(lengthBytes);
        try (RandomAccessFile file = new RandomAccessFile(ram.toFile(), "rw")) {
            file.setLength(lengthBytes);
            final ReplicaDisks replicas = link.replica().disks();
            trial = replicas.isEmpty()
                    ? Optional.empty()
                    : Optional.of(DiskTrial.open(replicas, config.stateDirectory()));
            final SnapshotRequest wanted = new SnapshotRequest(file.getChannel(), trial, new CompletableFuture<>());
            link.snapshot(wanted);
            final SnapshotRequest.Done done = await(wanted, progress);
            awaitDisks();
            final Path deviceState = directory.resolve("device-state");
            Files.write(deviceState, done.deviceState().array());
            LOG.info(
                    "the replica of epoch {} was copied for a test: {} pages in {} ms",
                    done.epoch(),
                    done.writtenPages(),
                    done.copyNanos() / 1_000_000);
            return answer(ram, deviceState, done);
        } catch (final DiskImageException e) {
            endTrial();
            remove();
            throw new ControlException(e.getMessage());
        } catch (final ControlException | IOException | InterruptedException e) {
            endTrial();
            remove();
            throw e;
        }
    }

    /** They are at its epoch once what had been received then is on them. */
    private void awaitDisks() throws InterruptedException {
        if (trial.isEmpty()) {
            return;
        }
        final long deadlineNanos = System.nanoTime() + DISK_LIMIT_NANOS;
        while (!trial.get().isExact()) {
            if (trial.get().failure() != null) {
                throw new ControlException(
                        "the disks cannot be tried: " + trial.get().failure());
            }
            if (System.nanoTime() - deadlineNanos > 0) {
                throw new ControlException("the disks were not brought to the epoch of the copy within "
                        + DISK_LIMIT_NANOS / 1_000_000_000L + " s: their storage is too slow or hangs");
            }
            Thread.sleep(1);
        }
    }

    private void endTrial() throws IOException {
        if (trial.isPresent()) {
            trial.get().close();
            trial = Optional.empty();
        }
    }

    private ObjectNode answer(final Path ram, final Path deviceState, final SnapshotRequest.Done done)
            throws IOException {
        final ObjectNode answer = JsonMapper.shared()
                .createObjectNode()
                .put("directory", directory.toString())
                .put("ram", ram.toString())
                .put("deviceState", deviceState.toString())
                .put("epoch", done.epoch())
                .put("copyMillis", done.copyNanos() / 1e6)
                .put("copiedPages", done.writtenPages())
                .put("earlyPages", done.earlyPages())
                .put("replica", config.ramFile().toString());
        config.qemuCommand().forEach(answer.putArray("qemu")::add);
        final ArrayNode disks = answer.putArray("disks");
        if (trial.isPresent()) {
            trial.get()
                    .serve(directory)
                    .forEach((socket, trialSocket) -> disks.addObject()
                            .put("socket", socket.toString())
                            .put("trialSocket", trialSocket.toString()));
        }
        return answer;
    }

    private SnapshotRequest.Done await(final SnapshotRequest wanted, final ControlProgress progress)
            throws IOException, InterruptedException {
        for (long looks = 1; ; looks++) {
            try {
                return wanted.result().get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
            } catch (final TimeoutException e) {
                if (usableBytes() < SPARE_BYTES) {
                    // What is written is freed at once; the link finds the file closed and gives up, too.
                    throw new ControlException(
                            "the file system of " + directory + " is nearly full: the copy was given up");
                }
                if (looks % PROGRESS_LOOKS == 0) {
                    progress.report("copying the replica");
                }
            } catch (final ExecutionException e) {
                throw new ControlException(e.getCause().getMessage());
            }
        }
    }

    private void requireRoom(final long lengthBytes) throws IOException {
        final long usableBytes = usableBytes();
        if (usableBytes < lengthBytes + SPARE_BYTES) {
            throw new ControlException("a copy of the guest's memory takes up to " + (lengthBytes >> 20) + " MiB in "
                    + directory.getParent() + ", where " + (usableBytes >> 20) + " MiB are free");
        }
    }

    private long usableBytes() throws IOException {
        return Files.getFileStore(directory).getUsableSpace();
    }

    private void remove() throws IOException {
        if (!Files.exists(directory)) {
            return;
        }
        try (Stream<Path> files = Files.list(directory)) {
            for (final Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(directory);
    }

    /** Removes what a test left that nobody uses any more. */
    @Override
    public void close() throws IOException {
        endTrial();
        if (Files.exists(directory) && !ReplicaFile.isMapped(directory.resolve("ram"))) {
            remove();
        }
    }
}
