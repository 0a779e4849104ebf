package org.resilire.guest.qemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.resilire.guest.AttachException;
import org.resilire.guest.AttachProblem;
import org.resilire.guest.GuestException;
import org.resilire.guest.GuestMemory;
import org.resilire.guest.tracking.RamMapping;
import org.resilire.guest.tracking.TrackerChoice;
import org.resilire.linux.LinuxException;
import org.resilire.linux.PidFd;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;

/**
 * The way from paths to a guest: opens one thing after another and checks that they belong together and that nothing of the
 * guest would be missing on a standby. Every objection is one {@link AttachException}.
 */
final class QemuAttachment {

    private static final Logger LOGGER = LoggerFactory.getLogger(QemuAttachment.class);

    private final QemuGuestConfig config;
    private final long timeoutNanos;
    private final Deque<AutoCloseable> opened = new ArrayDeque<>();

    QemuAttachment(final QemuGuestConfig config) {
        this.config = config;
        timeoutNanos = config.commandTimeout().toNanos();
    }

    AttachedParts attach() {
        requireReadableRamFile();
        final QmpConnection qmp = openQmp();
        final RamMapping ram = RamFileOwner.find(config.ramFile());
        final PidFd process = openProcess(ram.pid());
        try {
            requireOneQemu(qmp, ram.pid());
            requireRunning(qmp);
            requireAllMemorySaved(qmp);
            requireAllDevicesSaved(qmp);
            final DeviceInventory inventory = DeviceInventory.of(qmp, timeoutNanos);
            requireNoSilentChanges(inventory);
            final GuestMemory memory = register(GuestMemory.mapForCapture(config.ramFile()));
            final StateFile stateFile = register(StateFile.create(config.stateDirectory()));
            return new AttachedParts(qmp, ram, memory, process, stateFile, inventory);
        } catch (final QmpException e) {
            throw new AttachException(AttachProblem.QEMU_MISBEHAVES, e.getMessage(), e);
        }
    }

    /** Closes whatever was opened. */
    void abandon() {
        while (!opened.isEmpty()) {
            try {
                opened.pop().close();
            } catch (final Exception e) {
                LOGGER.warn("Closing after a failed attach", e);
            }
        }
    }

    private <T extends AutoCloseable> T register(final T resource) {
        opened.push(resource);
        return resource;
    }

    private void requireReadableRamFile() {
        final Path file = config.ramFile();
        if (!Files.isRegularFile(file)) {
            throw new AttachException(
                    AttachProblem.RAM_FILE_MISSING,
                    "no RAM file at " + file + ": give the mem-path of the guest's memory-backend-file");
        }
        if (!Files.isReadable(file)) {
            throw new AttachException(
                    AttachProblem.RAM_FILE_MISSING, "the RAM file " + file + " is not readable: run as QEMU's user");
        }
    }

    private QmpConnection openQmp() {
        try {
            return register(QmpConnection.open(
                    config.qmpSocket(), config.greetingTimeout().toNanos()));
        } catch (final QmpException e) {
            final AttachProblem problem = switch (e.failure()) {
                case NO_SOCKET -> AttachProblem.NO_QMP_SOCKET;
                case BUSY -> AttachProblem.QMP_BUSY;
                case PROTOCOL -> AttachProblem.NOT_QMP;
                case TIMED_OUT, CLOSED, REFUSED -> AttachProblem.QEMU_MISBEHAVES;
            };
            throw new AttachException(problem, e.getMessage(), e);
        }
    }

    private PidFd openProcess(final long pid) {
        try {
            return register(PidFd.open(pid));
        } catch (final LinuxException e) {
            throw new AttachException(AttachProblem.RAM_NOT_MAPPED, "QEMU has just ended: " + e.getMessage(), e);
        }
    }

    /** The vCPUs' host threads tell which process answers at the QMP socket. */
    private void requireOneQemu(final QmpConnection qmp, final long pid) {
        for (final JsonNode cpu : qmp.execute("query-cpus-fast", Map.of(), timeoutNanos)) {
            final long thread = cpu.path("thread-id").asLong(-1);
            if (!Files.exists(Path.of("/proc/" + pid + "/task/" + thread))) {
                throw new AttachException(
                        AttachProblem.RAM_OF_ANOTHER_GUEST,
                        "the QMP socket " + config.qmpSocket() + " belongs to another QEMU than process " + pid
                                + ", which maps the RAM file " + config.ramFile());
            }
        }
    }

    private void requireRunning(final QmpConnection qmp) {
        final RunState state = qmp.runState(timeoutNanos);
        if (state != RunState.RUNNING && !config.isPauseInherited()) {
            throw new AttachException(
                    AttachProblem.NOT_RUNNING,
                    "the guest is not running (" + state.qmpName() + "): make sure that it was not taken over"
                            + " elsewhere, then resume it with 'cont'");
        }
    }

    private void requireAllMemorySaved(final QmpConnection qmp) {
        final long fileBytes = sizeOf(config.ramFile());
        final JsonNode summary = qmp.execute("query-memory-size-summary", Map.of(), timeoutNanos);
        final long baseBytes = summary.path("base-memory").asLong(-1);
        if (summary.path("plugged-memory").asLong(0) != 0) {
            throw new AttachException(
                    AttachProblem.MEMORY_NOT_SAVED,
                    "the guest has hot-plugged memory, which is not replicated: start it without memory devices");
        }
        if (baseBytes != fileBytes) {
            throw new AttachException(
                    AttachProblem.RAM_SIZE_DIFFERS,
                    "the guest has " + baseBytes + " bytes of RAM, the RAM file " + config.ramFile() + " " + fileBytes
                            + ": is it the file of another guest?");
        }
        final List<String> backends = new ArrayList<>();
        for (final JsonNode backend : qmp.execute("query-memdev", Map.of(), timeoutNanos)) {
            backends.add(backend.path("id").asString(""));
        }
        final String blocks = monitor(qmp, "info ramblock");
        final Optional<String> objection = RamBlockPolicy.objection(RamBlockPolicy.parse(blocks), backends, fileBytes);
        if (objection.isPresent()) {
            throw new AttachException(AttachProblem.MEMORY_NOT_SAVED, objection.get());
        }
    }

    private void requireAllDevicesSaved(final QmpConnection qmp) {
        final JsonNode reasons =
                qmp.execute("query-migrate", Map.of(), timeoutNanos).path("blocked-reasons");
        if (!reasons.isEmpty()) {
            throw new AttachException(
                    AttachProblem.DEVICE_NOT_SAVED,
                    "QEMU cannot save a device of this guest: " + reasons.get(0).asString(""));
        }
    }

    /** What punches holes in the RAM file turns pages to zeros without a write, which no tracker of writes reports. */
    private void requireNoSilentChanges(final DeviceInventory inventory) {
        if (config.tracker() == TrackerChoice.COMPARE) {
            return;
        }
        for (final String type : List.of("virtio-balloon", "virtio-mem")) {
            if (inventory.text().contains("\ndevice " + type)) {
                throw new AttachException(
                        AttachProblem.MEMORY_NOT_SAVED,
                        "the guest has a " + type + " device, which changes memory without writing it: start it"
                                + " without, or choose the tracker compare");
            }
        }
    }

    private String monitor(final QmpConnection qmp, final String command) {
        return qmp.execute("human-monitor-command", Map.of("command-line", command), timeoutNanos)
                .asString("");
    }

    private static long sizeOf(final Path file) {
        try {
            return Files.size(file);
        } catch (final IOException e) {
            throw new GuestException("cannot tell the size of " + file + ": " + e.getMessage(), e);
        }
    }
}
