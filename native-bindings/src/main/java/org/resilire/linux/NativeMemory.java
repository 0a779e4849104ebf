package org.resilire.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/** Mappings of this process as segments. */
final class NativeMemory {
    static final long PAGE_BYTES = 4096;

    private NativeMemory() {}

    /** The segment of a mapping that is unmapped when its arena closes. */
    @SuppressWarnings("restricted")
    static MemorySegment ofMapping(long address, long lengthBytes, Arena arena) {
        // SAFETY: [address, address + lengthBytes) has just been mapped and belongs to the arena from here on; nobody
        // else
        // unmaps it, and every access through the segment checks that the arena is alive.
        return MemorySegment.ofAddress(address)
                .reinterpret(lengthBytes, arena, mapping -> MMan.munmap(mapping.address(), lengthBytes));
    }

    static void requirePositive(long lengthBytes, String object) {
        if (lengthBytes <= 0) {
            throw new IllegalArgumentException("the length of " + object + " must be positive, not " + lengthBytes);
        }
    }

    /** Throws if an arena's memory is about to be handed to the kernel by address after it was freed. */
    static void requireAlive(MemorySegment segment) {
        if (!segment.scope().isAlive()) {
            throw new IllegalStateException("the memory is already freed");
        }
    }

    /**
     * The address of a range of native memory, for a call that takes it raw.
     *
     * <p>SAFETY: bounds and lifetime are checked here; until the call has returned the caller keeps the segment reachable
     * ({@link java.lang.ref.Reference#reachabilityFence}) and, by the contract of its class, nobody closes its arena.
     */
    static long address(MemorySegment segment, long offset, long lengthBytes) {
        Objects.checkFromIndexSize(offset, lengthBytes, segment.byteSize());
        if (!segment.isNative()) {
            throw new IllegalArgumentException("the kernel can only be given native memory, not an array on the heap");
        }
        requireAlive(segment);
        return segment.address() + offset;
    }
}
