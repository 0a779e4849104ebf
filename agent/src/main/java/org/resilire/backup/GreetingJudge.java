package org.resilire.backup;

import org.resilire.disk.DiskIdentity;
import org.resilire.failover.ProtectionRecord;
import org.resilire.guest.GuestException;
import org.resilire.guest.GuestMemory;
import org.resilire.guest.qemu.DeviceInventory;
import org.resilire.wire.ProtocolVersion;
import org.resilire.wire.sbe.RefusalReason;

/**
 * Judges whether the guest of a primary that greets can live here: same machine, memory and disks, no older generation. Its words are
 * for the user. The standby's thread, while the link waits for its judgement.
 */
final class GreetingJudge {

    /** Why not. */
    record Refusal(RefusalReason reason, String text) {}

    private static final long DISK_LIMIT_NANOS = 60_000_000_000L;

    /** Generations and epochs rise by ones: nothing honest gets here, and nothing added to it overflows. */
    private static final long MAX_NUMBER = 1L << 56;

    private final BackupContext context;
    private final ProtectionRecord record;
    private final Replica replica;

    GreetingJudge(final BackupContext context, final Replica replica) {
        this.context = context;
        this.record = context.record();
        this.replica = replica;
    }

    /**
     * Looks for a reason to refuse.
     *
     * @param standbyUsed whether the standby was given a state already, which it cannot be given twice
     * @return null if there is none
     */
    Refusal objection(final HelloReceived hello, final Standby standby, final boolean standbyUsed) {
        if (hello.protocolVersion() != ProtocolVersion.CURRENT) {
            return new Refusal(
                    RefusalReason.PROTOCOL_VERSION,
                    "the primary speaks protocol version " + hello.protocolVersion() + ", this backup "
                            + ProtocolVersion.CURRENT + "; use the same release on both hosts");
        }
        if (!hello.vmName().equals(context.vmName())) {
            return new Refusal(RefusalReason.VM_NAME, hello.isNotFor(context.vmName()));
        }
        if (hello.generation() < record.generation()) {
            return new Refusal(
                    RefusalReason.SUPERSEDED,
                    "the primary's guest is of generation " + hello.generation() + ", but generation "
                            + record.generation() + " has run here");
        }
        if (hello.pageBytes() != GuestMemory.PAGE_BYTES
                || hello.ramBytes() != replica.memory().lengthBytes()) {
            return new Refusal(
                    RefusalReason.RAM_SIZE,
                    "the primary's guest has " + size(hello.ramBytes()) + " of RAM, the standby "
                            + size(replica.memory().lengthBytes()) + "; start both with the same -m and size=");
        }
        if (hello.generation() > MAX_NUMBER || hello.firstEpoch() < 1 || hello.firstEpoch() > MAX_NUMBER) {
            return new Refusal(
                    RefusalReason.BAD_MESSAGE,
                    "the primary's generation " + hello.generation() + " or first epoch " + hello.firstEpoch()
                            + " cannot be");
        }
        if (hello.heartbeatIntervalNanos() <= 0 || hello.heartbeatIntervalNanos() > context.detectTimeoutNanos() / 2) {
            return new Refusal(
                    RefusalReason.BAD_MESSAGE,
                    "the primary's heartbeat comes every " + hello.heartbeatIntervalNanos() / 1_000_000
                            + " ms, too seldom for a time-out of " + context.detectTimeoutNanos() / 1_000_000
                            + " ms here");
        }
        final String difference =
                DiskIdentity.difference(hello.disks(), replica.disks().identities());
        if (difference != null) {
            return new Refusal(RefusalReason.DISKS, difference);
        }
        final String diskFailure = replica.disks().prepare(DISK_LIMIT_NANOS);
        if (diskFailure != null) {
            return new Refusal(RefusalReason.DISK_FAILED, "the backup's disk cannot be used: " + diskFailure);
        }
        return standbyObjection(hello, standby, standbyUsed);
    }

    private static String size(final long lengthBytes) {
        return lengthBytes % (1 << 20) == 0 ? (lengthBytes >> 20) + " MiB" : lengthBytes + " bytes";
    }

    private static Refusal standbyObjection(
            final HelloReceived hello, final Standby standby, final boolean standbyUsed) {
        if (standbyUsed || standby.hasExited()) {
            return new Refusal(RefusalReason.STANDBY_FAILED, "the standby's QEMU is not ready yet");
        }
        final DeviceInventory own;
        try {
            own = standby.inventory();
        } catch (final GuestException e) {
            return new Refusal(RefusalReason.STANDBY_FAILED, "the standby's QEMU does not answer: " + e.getMessage());
        }
        if (!own.qemuVersion().equals(hello.qemuVersion())) {
            return new Refusal(
                    RefusalReason.QEMU_VERSION,
                    "the primary runs QEMU " + hello.qemuVersion() + ", the standby " + own.qemuVersion()
                            + "; install the same version on both hosts");
        }
        try {
            return DeviceInventory.firstDifference(DeviceInventory.parse(hello.deviceInventory()), own)
                    .map(difference -> new Refusal(
                            RefusalReason.DEVICE_SET,
                            "the machines differ: " + difference + "; start both QEMUs with the same devices"))
                    .orElse(null);
        } catch (final GuestException e) {
            return new Refusal(RefusalReason.DEVICE_SET, "the primary's device list cannot be read");
        }
    }
}
