package org.resilire.guest.qemu;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.resilire.guest.DirtyTracker;
import org.resilire.guest.Guest;
import org.resilire.guest.GuestException;
import org.resilire.guest.GuestMemory;
import org.resilire.guest.PausedMarker;
import org.resilire.guest.tracking.DirtyTrackerProbe;
import org.resilire.linux.Errno;
import org.resilire.linux.LinuxException;
import org.resilire.linux.PidFd;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A guest of a stock QEMU: RAM in a shared file, paused and resumed over QMP, device state saved with
 * {@code xen-save-devices-state} (which needs no Xen). After warm-up a checkpoint allocates nothing.
 *
 * <p>A guest that somebody else has stopped, or that stopped by itself (shutdown, panic), is checkpointed as it stands and
 * not resumed by {@link #resume()}.
 */
public final class QemuGuest implements Guest {

    private static final Logger LOGGER = LoggerFactory.getLogger(QemuGuest.class);

    /** Freezes a process; {@code signal(7)}, x86-64 and arm64. */
    private static final int SIGSTOP = 19;

    private static final QmpCommand STOP = QmpCommand.of("stop");
    private static final QmpCommand CONT = QmpCommand.of("cont");

    private final QemuGuestConfig config;
    private final long commandTimeoutNanos;
    private final PausedMarker pausedMarker;
    private QmpConnection qmp;
    private final GuestMemory memory;
    private final PidFd process;
    private final StateFile stateFile;
    private final QmpCommand saveDeviceState;
    private final DirtyTracker dirtyTracker;
    private final String trackerReason;
    private final DeviceInventory inventory;

    private boolean isPaused;
    private boolean isStoppedHere;
    /** Another host may run the guest by now: only who knows better ends this pause, not the end of this agent. */
    private boolean isPauseInherited;

    private boolean isSaveUnderWay;
    private boolean isStoppedForGood;
    private boolean isClosed;
    private long pauses;
    private long resumeEventsAtStop;

    private QemuGuest(final QemuGuestConfig config, final AttachedParts parts) {
        this.config = config;
        commandTimeoutNanos = config.commandTimeout().toNanos();
        pausedMarker = config.pausedMarker();
        qmp = parts.qmp();
        memory = parts.memory();
        process = parts.process();
        stateFile = parts.stateFile();
        inventory = parts.inventory();
        // `live` must be false: true would make QEMU give up its disks (bdrv_inactivate_all).
        saveDeviceState = QmpCommand.of(
                "xen-save-devices-state", "filename", stateFile.path().toString(), "live", false);
        final DirtyTrackerProbe.Result probed = DirtyTrackerProbe.open(
                config.tracker(), config.scanThreads(), parts.ram(), memory.pageCount(), () -> isPaused ? pauses : 0);
        dirtyTracker = probed.tracker();
        trackerReason = probed.reason();
        if (config.isPauseInherited() && runState() == RunState.PAUSED) {
            // To end it is this agent's duty now.
            isPaused = true;
            isStoppedHere = true;
            isPauseInherited = true;
            resumeEventsAtStop = qmp.eventCount(QmpEvent.RESUME);
        }
    }

    /**
     * Attaches to a running guest, which goes on running, or to one that a dead agent left paused; tracking starts with {@link DirtyTracker#arm()}.
     *
     * @throws org.resilire.guest.AttachException if the guest cannot be protected as it is; the message is for the user
     */
    public static QemuGuest attach(final QemuGuestConfig config) {
        final QemuAttachment attachment = new QemuAttachment(config);
        try {
            final QemuGuest guest = new QemuGuest(config, attachment.attach());
            LOGGER.info(
                    "Attached to QEMU (process {}): {} MiB of RAM in {}, tracker {}",
                    guest.pid(),
                    guest.memory.lengthBytes() >> 20,
                    config.ramFile(),
                    guest.dirtyTracker.mechanism());
            return guest;
        } catch (final RuntimeException e) {
            attachment.abandon();
            throw e;
        }
    }

    @Override
    public GuestMemory memory() {
        return memory;
    }

    @Override
    public DirtyTracker dirtyTracker() {
        return dirtyTracker;
    }

    /** Which dirty tracker was chosen, and why not a better one: one line. */
    public String trackerReason() {
        return trackerReason;
    }

    /** The guest's devices, to be compared with the standby's. */
    public DeviceInventory inventory() {
        return inventory;
    }

    /** Of QEMU. */
    public long pid() {
        return process.pid();
    }

    public Path qmpSocket() {
        return config.qmpSocket();
    }

    /** How many events of a kind QEMU has reported; they are read at every checkpoint. */
    public long eventCount(final QmpEvent event) {
        return qmp.eventCount(event);
    }

    /** The guest's run state, asked of QEMU. */
    public RunState runState() {
        return qmp.runState(commandTimeoutNanos);
    }

    @Override
    public void pause() {
        if (isStoppedForGood) {
            throw new IllegalStateException("the guest was stopped for good: another host runs it");
        }
        // First the mark, then the stop: an agent killed in between leaves a mark on a running guest, which harms
        // nobody.
        pausedMarker.pausedByAgent(true);
        qmp.drainEvents();
        final long stops = qmp.eventCount(QmpEvent.STOP);
        // A guest that waits for a backup is paused already, by this agent: its checkpoint ends that, too.
        final boolean wasStoppedHere = isPaused && isStoppedHere;
        isStoppedHere = true;
        qmp.call(STOP, commandTimeoutNanos);
        // QEMU reports STOP before it replies, unless there was nothing to stop.
        isStoppedHere = wasStoppedHere || qmp.eventCount(QmpEvent.STOP) != stops;
        if (!isStoppedHere) {
            pausedMarker.pausedByAgent(false);
        }
        resumeEventsAtStop = qmp.eventCount(QmpEvent.RESUME);
        pauses++;
        isPaused = true;
        isPauseInherited = false;
    }

    @Override
    public boolean isPaused() {
        return isPaused;
    }

    @Override
    public void beginDeviceStateSave() {
        if (!isPaused || isSaveUnderWay) {
            throw new IllegalStateException("the device state can be saved once in a pause");
        }
        qmp.send(saveDeviceState);
        isSaveUnderWay = true;
    }

    @Override
    public int finishDeviceStateSave(final MemorySegment into) {
        if (!isSaveUnderWay) {
            throw new IllegalStateException("no save of the device state is under way");
        }
        isSaveUnderWay = false;
        qmp.awaitReply(saveDeviceState, commandTimeoutNanos);
        return stateFile.read(into);
    }

    @Override
    public void resume() {
        if (!isPaused || isStoppedForGood) {
            return;
        }
        finishAbandonedSave();
        qmp.drainEvents();
        isPaused = false;
        if (qmp.eventCount(QmpEvent.RESUME) != resumeEventsAtStop) {
            unmark();
            throw new GuestException(
                    "somebody else resumed the guest during a checkpoint (a monitor?): that checkpoint is void");
        }
        if (isStoppedHere) {
            qmp.call(CONT, commandTimeoutNanos);
        }
        unmark();
    }

    @Override
    public boolean recover() {
        if (isStoppedForGood) {
            return true;
        }
        try {
            if (!qmp.isOpen()) {
                // On a connection of its own, so that no late reply is taken for another command's.
                qmp = QmpConnection.open(
                        config.qmpSocket(), config.greetingTimeout().toNanos());
                isSaveUnderWay = false;
            }
            finishAbandonedSave();
            if (isStoppedHere) {
                // It may have carried out what it did not answer.
                qmp.call(CONT, commandTimeoutNanos);
            }
        } catch (final QmpException e) {
            LOGGER.debug("QEMU (process {}) does not answer", process.pid(), e);
            return false;
        }
        isPaused = false;
        unmark();
        return true;
    }

    /** A checkpoint that failed between begin and finish leaves a reply on its way. */
    private void finishAbandonedSave() {
        if (isSaveUnderWay) {
            isSaveUnderWay = false;
            try {
                qmp.awaitReply(saveDeviceState, commandTimeoutNanos);
            } catch (final QmpException e) {
                if (e.failure() != QmpException.Failure.REFUSED) {
                    throw e;
                }
                LOGGER.warn("A save of the device state that nobody waited for failed: {}", e.getMessage());
            }
        }
    }

    private void unmark() {
        isStoppedHere = false;
        isPauseInherited = false;
        pausedMarker.pausedByAgent(false);
    }

    @Override
    public void stopForGood() {
        isStoppedForGood = true;
        isStoppedHere = false;
        // First: should this agent die on the next line, its guard must already know that this pause is not to be
        // ended.
        pausedMarker.pausedByAgent(false);
        try {
            if (!process.hasExited()) {
                stopOverAnyConnection();
            }
        } catch (final QmpException | LinuxException e) {
            if (!process.hasExited()) {
                freeze(e);
            }
        }
        isPaused = true;
    }

    @Override
    public void takeBack() {
        if (!isStoppedForGood) {
            return;
        }
        isStoppedForGood = false;
        isStoppedHere = true;
        isPaused = true;
        pausedMarker.pausedByAgent(true);
    }

    private void stopOverAnyConnection() {
        try {
            if (qmp.isOpen()) {
                finishAbandonedSave();
                qmp.call(STOP, commandTimeoutNanos);
                return;
            }
        } catch (final QmpException e) {
            LOGGER.warn("Cannot stop the guest over the open connection, trying another: {}", e.getMessage());
        }
        callOverNewConnection(STOP);
    }

    /** QEMU does not listen, but its vCPUs may run on: two running guests would be worse than a frozen process. */
    private void freeze(final RuntimeException cause) {
        LOGGER.error(
                "QEMU (process {}) cannot be told to stop: freezing it with SIGSTOP, as its guest runs elsewhere now",
                process.pid(),
                cause);
        try {
            process.sendSignal(SIGSTOP);
        } catch (final LinuxException e) {
            if (!process.hasExited()) {
                throw new GuestException(
                        "cannot stop the guest in process " + process.pid() + ": " + e.getMessage(), e);
            }
        }
    }

    private void callOverNewConnection(final QmpCommand command) {
        qmp.close();
        try (QmpConnection second =
                QmpConnection.open(config.qmpSocket(), config.greetingTimeout().toNanos())) {
            second.call(command, commandTimeoutNanos);
        }
    }

    @Override
    public boolean hasExited() {
        return process.hasExited();
    }

    /**
     * Kills the QEMU that this was attached to, and no other process that may have got its number since. Any thread.
     *
     * @throws LinuxException {@code ESRCH} if it has ended
     */
    public void kill() {
        process.kill();
    }

    /**
     * Kills it and waits for its end. Any thread.
     *
     * @return whether it has surely ended
     */
    public boolean end(final long limitNanos) {
        try {
            process.kill();
        } catch (final LinuxException e) {
            if (e.errno() != Errno.ESRCH) {
                LOGGER.warn("QEMU cannot be ended: {}", e.getMessage());
                return false;
            }
        }
        return process.awaitExit(limitNanos);
    }

    @Override
    public void close() {
        if (isClosed) {
            return;
        }
        isClosed = true;
        try {
            resumeBeforeLeaving();
        } finally {
            qmp.close();
            dirtyTracker.close();
            memory.close();
            process.close();
            stateFile.close();
        }
    }

    private void resumeBeforeLeaving() {
        if (!isStoppedHere || isPauseInherited || process.hasExited()) {
            return;
        }
        try {
            if (qmp.isOpen()) {
                finishAbandonedSave();
                qmp.call(CONT, commandTimeoutNanos);
                unmark();
                return;
            }
        } catch (final QmpException e) {
            LOGGER.warn("Cannot resume the guest over the open connection, trying another: {}", e.getMessage());
        }
        try {
            callOverNewConnection(CONT);
            unmark();
        } catch (final QmpException | LinuxException e) {
            LOGGER.error("The guest stays paused: send it 'cont' over {}", config.qmpSocket(), e);
        }
    }
}
