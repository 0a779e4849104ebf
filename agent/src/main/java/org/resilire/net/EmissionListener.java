package org.resilire.net;

import java.lang.foreign.MemorySegment;

/** Sees what a guest lets out while input is logged, and has it told to the backup. On the network thread. */
public interface EmissionListener {

    /** Looks at nothing. */
    EmissionListener NONE = new EmissionListener() {
        @Override
        public void onEmitted(final MemorySegment frames, final long offset, final int lengthBytes, final long epoch) {}

        @Override
        public void tell(final InboundLog log) {}

        @Override
        public long emitted(final NetworkCounter counter) {
            return 0;
        }
    };

    /** One frame that has left; it was sent in this epoch or in the one before it. */
    void onEmitted(MemorySegment frames, long offset, int lengthBytes, long epoch);

    /** Puts what is new into the log, as far as there is room. */
    void tell(InboundLog log);

    /** What was counted of {@link NetworkCounter#EMITTED_FRAMES} and its kin. */
    long emitted(NetworkCounter counter);
}
