package org.resilire.primary;

import org.agrona.concurrent.Agent;
import org.resilire.disk.FlushSettler;
import org.resilire.net.OutputEpochs;

/**
 * Lets output leave once the backup has its epoch and the disks hold what was promised in the pause that ended it. Both come at their own
 * time; this looks at both, on the link's thread.
 */
final class OutputRelease implements Agent {

    private final OutputEpochs outputEpochs;
    private final FlushSettler settler;
    private long acknowledgedEpoch = -1;
    private long releasedEpoch = -1;

    OutputRelease(final OutputEpochs outputEpochs, final FlushSettler settler) {
        this.outputEpochs = outputEpochs;
        this.settler = settler;
    }

    /** The backup could start from this epoch. Link thread. */
    void acknowledged(final long epoch) {
        acknowledgedEpoch = epoch;
        doWork();
    }

    @Override
    public int doWork() {
        if (releasedEpoch == acknowledgedEpoch) {
            return 0;
        }
        final long epoch = Math.min(acknowledgedEpoch, settler.settledEpoch());
        if (epoch <= releasedEpoch) {
            return 0;
        }
        releasedEpoch = epoch;
        outputEpochs.acknowledge(epoch);
        return 1;
    }

    @Override
    public String roleName() {
        return "output-release";
    }
}
