package org.resilire.disk;

import java.io.IOException;
import java.nio.file.Path;
import java.util.UUID;
import java.util.function.BooleanSupplier;
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
    private final DiskFiles files;
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

    /** What the primary of this session knows the image by. */
    private UUID sessionReplica;

    /** What the image is while nobody knows it as a replica; null if that cannot be told, or since it is nobody's copy. */
    private volatile LeftDisk left;

    /** Of the thread that stages. */
    private EpochWriteBuffer filling;

    /** Of the thread that applies while there is something to apply, else of the one that stages. */
    private EpochWriteBuffer applying;

    private ReplicaDisk(
            final DiskConfig config,
            final DiskFiles files,
            final ReplicaIdentity identity,
            final DirtyBitmap bitmap,
            final EpochWriteLog log,
            final DiskImage image,
            final BlockFile journalFile,
            final WriteGate gate,
            final NbdServer server,
            final LeftDisk left) {
        this.config = config;
        this.files = files;
        this.identity = identity;
        this.left = left;
        sessionReplica = replica();
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
     * @param generation of the guest that this host has known last
     * @throws DiskImageException if it cannot be served; the message is for the user
     */
    public static ReplicaDisk open(
            final DiskConfig config, final Path stateDirectory, final String vmName, final long generation)
            throws IOException {
        final long lengthBytes = DiskImage.lengthOf(config.image());
        final DiskFiles files = DiskFiles.of(stateDirectory, vmName, config.name());
        DirtyBitmap bitmap = null;
        EpochWriteLog log = null;
        DiskImage image = null;
        BlockFile journalFile = null;
        try {
            final LeftDisk left = LeftDisk.find(files, config.image(), lengthBytes, generation);
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
            return new ReplicaDisk(config, files, identity, bitmap, log, image, journalFile, gate, server, left);
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
        return new DiskIdentity(config.name(), image.lengthBytes(), replica(), isEmpty);
    }

    private UUID replica() {
        final LeftDisk known = left;
        return known == null ? identity.replica() : known.replica();
    }

    DiskConfig config() {
        return config;
    }

    boolean isFlushing() {
        return image.isFlushing();
    }

    /** Opens a trial of it as it is now. */
    TrialDisk newTrial(final BooleanSupplier hasRoom) throws IOException {
        return TrialDisk.open(image, files.scratch(), hasRoom);
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

    /** Has the primary told what is not as it left it; before anything is compared in this session. */
    void reportLeft() {
        final LeftDisk known = left;
        if (known != null) {
            for (final long block : known.blocks()) {
                differences.onDifference(block * DirtyBitmap.BLOCK_BYTES, DirtyBitmap.BLOCK_BYTES);
            }
        }
    }

    DifferenceQueue differences() {
        return differences;
    }

    // ---------------------------------------------------------------- applying

    /** Finishes what was left unfinished. */
    void recover() {
        journal.recover();
    }

    /** What is to be applied. */
    EpochWriteBuffer applying() {
        return applying;
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

    /** A session may begin: the guest may not write, or no longer. */
    void prepareSession() {
        closeGate();
        sessionReplica = replica();
    }

    /** The guest may not write, or no longer. */
    void closeGate() {
        gate.close();
    }

    /** From here on the guest may be let write: the image is nobody's copy any more. */
    void prepareRelease() throws IOException {
        journal.release();
        identity.forget();
        left = null;
    }

    /** Lets the guest write. What stays behind on its last host is equal, or that host knows what is not. */
    void release(final long generation) {
        log.trust(ReplicaIdentity.leftBehind(sessionReplica, generation));
        gate.open();
    }

    /** No guest has written since {@link #release}, or none could. */
    boolean isUntouched() {
        return !gate.isOpen() || bitmap.nextDirty(0) < 0;
    }

    /** The same disk of a guest that this host runs since it was released; its image and server stay this one's to close. */
    PrimaryDisk toPrimary() {
        return new PrimaryDisk(config, files, bitmap, log, image, server, false);
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
