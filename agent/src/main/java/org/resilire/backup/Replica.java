package org.resilire.backup;

import org.resilire.epoch.EpochAssembler;
import org.resilire.epoch.EpochCommit;
import org.resilire.epoch.PageHasher;
import org.resilire.epoch.ReplicaVerification;
import org.resilire.guest.GuestMemory;

/** The copy of a guest's memory on this host with all that changes and checks it. Owned by one thread at a time. */
final class Replica implements AutoCloseable {

    private final GuestMemory memory;
    private final EpochAssembler assembler;
    private final EpochCommit commit;
    private final ReplicaVerification verification;

    /** Takes ownership of the memory. */
    Replica(final GuestMemory memory) {
        this.memory = memory;
        this.assembler = new EpochAssembler(memory.pageCount());
        this.commit = new EpochCommit(memory);
        this.verification = new ReplicaVerification(new PageHasher(memory));
    }

    /** Makes it all zero, as a new session expects it. */
    void clear() {
        commit.reset();
        memory.zero();
    }

    GuestMemory memory() {
        return memory;
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

    @Override
    public void close() {
        assembler.close();
        commit.close();
        memory.close();
    }
}
