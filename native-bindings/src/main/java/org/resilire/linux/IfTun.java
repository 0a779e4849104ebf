package org.resilire.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.StructLayout;

/** {@code linux/if_tun.h} and {@code struct ifreq} of {@code net/if.h}. */
final class IfTun {
    static final int IFNAMSIZ = 16;
    static final short IFF_TAP = 0x0002;
    static final short IFF_NO_PI = 0x1000;

    static final StructLayout IFREQ = MemoryLayout.structLayout(
                    MemoryLayout.sequenceLayout(IFNAMSIZ, JAVA_BYTE).withName("ifr_name"),
                    JAVA_SHORT.withName("ifr_flags"),
                    MemoryLayout.paddingLayout(22))
            .withName("ifreq");
    static final long IFR_FLAGS = IFREQ.byteOffset(PathElement.groupElement("ifr_flags"));

    /** The header encodes the size of an int, although the argument is an ifreq. */
    static final long TUNSETIFF = Ioctl.iow('T', 202, Integer.BYTES);

    private IfTun() {}
}
