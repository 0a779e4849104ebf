package org.resilire.disk;

import java.io.IOException;
import java.nio.file.Path;
import org.agrona.CloseHelper;
import org.agrona.DirectBuffer;
import org.resilire.linux.BlockFile;

/**
 * The copy of a guest's disk on the host that may take over: its image, served from {@link #open} on to a QEMU that may read, and write
 * once the disk was released to it; what epochs bring for it, in two buffers, one that fills and one that is applied; and the journal
 * by which it is applied. See {@link ReplicaDisks} for who may call what.
 */
public final class ReplicaDisk implements AutoCloseable {

    /** Address space for what may wait and an epoch on top; memory is taken as it is needed. */
    private static final long BUFFER_BYTES = 2L << 30;

    private final DiskConfig config;
    private final ReplicaIdentity identity;

    /** For when this host protects the guest: until then it has everything marked, and nothing is logged. */
    private final DirtyBitmap bitmap;

    private final EpochWriteLog log;
    private final DiskImage image;
    private final BlockFile journalFile;
    private final ApplyJournal journal;
    private final WriteGate gate;
    private final NbdServer server;
    private final DifferenceQueue differences = new DifferenceQueue();

    /** Of the thread that stages. */
    private EpochWriteBuffer filling;

    /** Of the thread that applies while there is something to apply, else of the one that stages. */
    private EpochWriteBuffer applying;

    private ReplicaDisk(
            final DiskConfig config,
            final ReplicaIdentity identity,
            final DirtyBitmap bitmap,
            final EpochWriteLog log,
            final DiskImage image,
            final BlockFile journalFile,
            final WriteGate gate,
            final NbdServer server) {
        this.config = config;
        this.identity = identity;
        this.bitmap = bitmap;
        this.log = log;
        this.image = image;
        this.journalFile = journalFile;
        this.gate = gate;
        this.server = server;
        journal = new ApplyJournal(Storage.of(journalFile), Storage.of(image), differences);
        filling = new EpochWriteBuffer(BUFFER_BYTES, image.lengthBytes());
        applying = new EpochWriteBuffer(BUFFER_BYTES, image.lengthBytes());
    }

    /**
     * Opens and serves a disk, and finishes what an earlier agent left half applied.
     *
     * @param stateDirectory keeps the journal, which needs room for what is applied at a time, and the identity
     * @throws DiskImageException if it cannot be served; the message is for the user
     */
    public static ReplicaDisk open(final DiskConfig config, final Path stateDirectory, final String vmName)
            throws IOException {
        final long lengthBytes = DiskImage.lengthOf(config.image());
        final DiskFiles files = DiskFiles.of(stateDirectory, vmName, config.name());
        DirtyBitmap bitmap = null;
        EpochWriteLog log = null;
        DiskImage image = null;
        BlockFile journalFile = null;
        try {
            files.becomeReplica();
            bitmap = DirtyBitmap.open(files.bitmap(), config.image(), lengthBytes);
            log = new EpochWriteLog(PrimaryDisk.LOG_BYTES, PrimaryDisk.EPOCH_QUOTA_BYTES, bitmap);
            image = DiskImage.open(config.image(), false, log);
            final ReplicaIdentity identity =
                    ReplicaIdentity.open(files.identity(), config.image(), image.lengthBytes());
            if (identity.isNew()) {
                files.clearJournal();
            }
            journalFile = BlockFile.open(files.journal(), true);
            final WriteGate gate = WriteGate.closed();
            final NbdServer server = DiskSocket.serve(config, image, gate);
            return new ReplicaDisk(config, identity, bitmap, log, image, journalFile, gate, server);
        } catch (final IOException | RuntimeException failure) {
            CloseHelper.quietCloseAll(journalFile, image, log, bitmap);
            throw failure;
        }
    }

    /** What both hosts know it by. */
    public String name() {
        return config.name();
    }

    /** For the greeting's answer. */
    DiskIdentity identity() {
        final boolean isEmpty = image.isHole(0) && image.extentEnd(0, true) == image.lengthBytes();
        return new DiskIdentity(config.name(), image.lengthBytes(), identity.replica(), isEmpty);
    }

    // ---------------------------------------------------------------- staging

    void begin(final long epoch) {
        filling.begin(epoch);
    }

    long append(final int changes, final DirectBuffer source, final int offset, final int lengthBytes) {
        return filling.append(changes, source, offset, lengthBytes);
    }

    EpochWriteBuffer filling() {
        return filling;
    }

    void commit() {
        filling.commit();
    }

    void dropAll() {
        filling.drop();
    }

    /** What has committed is to be applied; what comes next goes into the other buffer. */
    void swap() {
        final EpochWriteBuffer full = filling;
        filling = applying;
        applying = full;
    }

    DifferenceQueue differences() {
        return differences;
    }

    // ---------------------------------------------------------------- applying

    /** Finishes what was left unfinished. */
    void recover() {
        journal.recover();
    }

    void apply() {
        journal.commit(applying);
        applying.drop();
    }

    /** Applies whatever has committed and waits here. */
    void applyRest() {
        applyWaiting(applying);
        applyWaiting(filling);
    }

    private void applyWaiting(final EpochWriteBuffer waiting) {
        if (waiting.committedBytes() > 0) {
            journal.commit(waiting);
        }
        waiting.drop();
    }

    void forgetApplying() {
        applying.drop();
    }

    // ---------------------------------------------------------------- taking over

    /** The guest may not write, or no longer. */
    void closeGate() {
        gate.close();
    }

    /** From here on the guest may write: the image is nobody's copy any more. */
    void release() throws IOException {
        journal.release();
        identity.renew();
        gate.open();
    }

    /** The same disk of a guest that this host runs since it was released; its image and server stay this one's to close. */
    PrimaryDisk toPrimary() {
        return new PrimaryDisk(config, bitmap, log, image, server, false);
    }

    @Override
    public void close() throws IOException {
        PrimaryDisk.close(server, image, log, bitmap);
        journal.close();
        journalFile.close();
        filling.close();
        applying.close();
        identity.close();
    }
}
