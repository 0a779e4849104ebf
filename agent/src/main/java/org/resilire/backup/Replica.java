package org.resilire.backup;

import org.resilire.disk.ReplicaDisks;
import org.resilire.epoch.EpochAssembler;
import org.resilire.epoch.EpochCommit;
import org.resilire.epoch.PageHasher;
import org.resilire.epoch.ReplicaVerification;
import org.resilire.guest.GuestMemory;
import org.resilire.net.RedeliveryLog;

/** The copy of a guest's memory on this host with all that changes and checks it. Owned by one thread at a time. */
final class Replica implements AutoCloseable {

    private static final int REDELIVERY_BYTES = 4 << 20;

    private final GuestMemory memory;
    private final EpochAssembler assembler;
    private final EpochCommit commit;
    private final ReplicaVerification verification;

    private final RedeliveryLog redelivery = new RedeliveryLog(REDELIVERY_BYTES);

    private final ReplicaDisks disks;

    /** Takes ownership of the memory, not of the disks. */
    Replica(final GuestMemory memory, final ReplicaDisks disks) {
        this.memory = memory;
        this.disks = disks;
        this.assembler = new EpochAssembler(memory.pageCount(), disks);
        this.commit = new EpochCommit(memory);
        this.verification = new ReplicaVerification(new PageHasher(memory));
    }

    /** Makes it all zero, as a new session expects it. */
    void clear() {
        commit.reset();
        redelivery.clear();
        memory.zero();
    }

    GuestMemory memory() {
        return memory;
    }

    ReplicaDisks disks() {
        return disks;
    }

    EpochAssembler assembler() {
        return assembler;
    }

    EpochCommit commit() {
        return commit;
    }

    ReplicaVerification verification() {
        return verification;
    }

    /** Frames that the guest may not have seen at the last checkpoint. */
    RedeliveryLog redelivery() {
        return redelivery;
    }

    @Override
    public void close() {
        redelivery.close();
        assembler.close();
        commit.close();
        memory.close();
    }
}
