package org.resilire.primary;

import java.util.concurrent.atomic.AtomicReference;
import org.resilire.epoch.EpochPipeline;
import org.resilire.epoch.EpochWriter;
import org.resilire.epoch.ModeParts;
import org.resilire.epoch.ReplicationMode;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a mode of replication is made of, and how it is exchanged for another's between two sessions. A wish comes from any thread,
 * which also makes the parts, so that a host that lacks the memory for them refuses the wish and nothing changes; the checkpoint thread
 * adopts them when no session uses the old ones any more. At most one wish is kept, the latest.
 */
final class ModeSwitch implements AutoCloseable {

    /** Makes the parts of a mode for the guest. */
    interface Maker {
        ModeParts make(ReplicationMode mode);
    }

    private static final Logger LOG = LoggerFactory.getLogger(ModeSwitch.class);

    private final Maker maker;
    private final AtomicReference<ModeParts> pending = new AtomicReference<>();
    private volatile ModeParts current;

    /** Makes the parts of the first mode. */
    ModeSwitch(final ReplicationMode first, final Maker maker) {
        this.maker = maker;
        this.current = maker.make(first);
        tellOf(current);
    }

    /** Before anything is changed: what a pipeline begins with. */
    ModeParts parts() {
        return current;
    }

    /** The latest that was wanted. Any thread. */
    ReplicationMode mode() {
        final ModeParts wanted = pending.get();
        return (wanted == null ? current : wanted).mode();
    }

    /** Wants another mode, from the next session on. Any thread. */
    void change(final ReplicationMode mode) {
        final ModeParts replaced = pending.getAndSet(maker.make(mode));
        if (replaced != null) {
            replaced.close();
        }
    }

    /** Cheap: for every turn of a loop. */
    boolean isChangeWanted() {
        return pending.get() != null;
    }

    /** Exchanges the parts if that is wanted. Checkpoint thread, between the restart of the pipeline and the next session. */
    void adopt(final EpochPipeline pipeline, final EpochWriter writer, final PrimaryMetrics metrics) {
        final ModeParts wanted = pending.getAndSet(null);
        if (wanted == null) {
            return;
        }
        pipeline.adopt(wanted);
        writer.adopt(wanted);
        metrics.adopt(wanted);
        final ModeParts old = current;
        current = wanted;
        old.close();
        tellOf(wanted);
    }

    private static void tellOf(final ModeParts parts) {
        LOG.info(
                "{}; at most {} MiB for a shadow, {} for hashes, {} for the sharing index",
                parts.mode().description(),
                parts.shadowBytes() >> 20,
                parts.hashBytes() >> 20,
                parts.indexBytes() >> 20);
        if (parts.mode().identification() == ReplicationMode.Identification.HASH) {
            LOG.warn(
                    "changes are told by 64-bit hashes: one that leaves a block's hash as it was never reaches the backup,"
                            + " and only 'resilire verify' would notice; --identify shadow compares bytes instead");
        }
    }

    /** Call when no thread uses the parts any more. */
    @Override
    public void close() {
        final ModeParts wanted = pending.getAndSet(null);
        if (wanted != null) {
            wanted.close();
        }
        current.close();
    }
}
