package org.resilire.testbed.load;

import org.resilire.testbed.lab.Takeover;

/**
 * When the host died, on CLOCK_MONOTONIC, which {@link System#nanoTime()} reads and which all processes of a machine share.
 *
 * @param protectedNs from when on the guest was protected
 * @param killedNs just before the first process of host A was killed
 * @param stoodByNs when host B was last seen not taking over yet: answers that came later can only be from host B
 */
public record FailoverTimes(long protectedNs, long killedNs, long stoodByNs) {

    /** Of a guest that was protected from an instant on, until a host took it over. */
    public static FailoverTimes between(final long protectedNs, final Takeover takeover) {
        return new FailoverTimes(protectedNs, takeover.killedNs(), takeover.stoodByNs());
    }
}
