package org.resilire.epoch;

import java.lang.foreign.MemorySegment;
import org.resilire.fgbi.BlockIdentifier;
import org.resilire.guest.GuestMemory;
import org.resilire.linux.AnonymousMemory;

/**
 * The device state as it was saved last: a little memory of its own, nearly the same from checkpoint to checkpoint, captured like the
 * guest's. Used by the checkpoint thread only.
 */
public final class DeviceStateCapture implements AutoCloseable {

    /** Makes the way to find what changed in a memory. */
    public interface IdentifierFactory {
        BlockIdentifier of(MemorySegment memory);
    }

    private final AnonymousMemory memory;
    private final BlockIdentifier identifier;

    public DeviceStateCapture(final IdentifierFactory identifiers) {
        memory = AnonymousMemory.reserve("device state", EpochAssembler.MAX_DEVICE_STATE_BYTES);
        identifier = identifiers.of(memory.segment());
    }

    /** Receives the state from offset 0, when it is saved. */
    public MemorySegment segment() {
        return memory.segment();
    }

    static long pagesOf(final int lengthBytes) {
        return ((long) lengthBytes + GuestMemory.PAGE_BYTES - 1) >>> GuestMemory.PAGE_SHIFT;
    }

    int capture(final long page, final MemorySegment out, final long outOffset) {
        return identifier.capture(page, out, outOffset);
    }

    void reset() {
        identifier.reset();
    }

    @Override
    public void close() {
        identifier.close();
        memory.close();
    }
}
