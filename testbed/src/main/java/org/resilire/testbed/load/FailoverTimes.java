package org.resilire.testbed.load;

/**
 * When the host died, on CLOCK_MONOTONIC, which {@link System#nanoTime()} reads and which all processes of a machine share.
 *
 * @param protectedNs from when on the guest was protected
 * @param killedNs just before the first process of host A was killed
 * @param stoodByNs when host B was last seen not taking over yet: answers that came later can only be from host B
 */
public record FailoverTimes(long protectedNs, long killedNs, long stoodByNs) {}
