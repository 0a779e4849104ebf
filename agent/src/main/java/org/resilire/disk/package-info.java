/**
 * Guest disks: raw image files and block devices, served to QEMU over the NBD protocol on a Unix socket.
 *
 * <pre>
 *   QEMU ──NBD──► NbdServer ─► NbdConnection ─► NbdTransmission ─► NbdWorker ─► DiskImage ─► file or device
 *                                                                                  └─► WriteObserver
 * </pre>
 *
 * <h2>What the answers promise</h2>
 *
 * <ul>
 *   <li>A write, trim or write-zeroes that was answered is seen by every later read, on any connection, and survives the end of
 *       the agent: it is in the kernel's page cache. It does not survive the end of the host.
 *   <li>A FLUSH that was answered: all changes that were answered before it, on any connection, are on stable storage
 *       ({@code fdatasync}). If nothing has changed since the last one, it costs nothing.
 *   <li>FUA: that change is on stable storage when it is answered, whether or not earlier ones are.
 *   <li>A FLUSH that failed stays failed: what it should have saved may be lost, and no later FLUSH may claim otherwise.
 *   <li>A FLUSH while flushes are deferred (the checkpoint's pause, in which QEMU flushes on its own account) is answered at
 *       once. The debt is settled before output of the guest that could depend on it leaves the host, so that the first promise
 *       about FLUSH holds for everybody who can see the guest only from outside.
 * </ul>
 *
 * <h2>Replication, epoch by epoch</h2>
 *
 * <pre>
 *   primary   DiskImage ─► EpochWriteLog ──ChangeMessage──►  │  ──► EpochWriteBuffer ──commit──► ApplyJournal ─► DiskImage   backup
 *             DiskResync ──┘   └► DirtyBitmap                │           └──epoch never commits──► dropped
 * </pre>
 *
 * <p>Changes take effect on the primary's disk at once and travel with the epoch that they belong to. The backup applies them when the
 * epoch has committed, so that its disk is always, once the journal has nothing to finish, the disk of one checkpoint. To acknowledge
 * an epoch its buffer has to be whole in memory, no more, as with the guest's memory: no disk is waited for. Therefore:
 *
 * <ul>
 *   <li>What a FLUSH or FUA on the primary promised holds there, as above, whatever becomes of the backup.
 *   <li>After a failover the guest finds all that was flushed before the checkpoint from which it goes on. What was answered after it
 *       is gone, together with the guest's memory of having asked; nobody outside has seen anything that depends on it, since
 *       that output was never released.
 *   <li>Before the guest starts on the backup, the journal has applied everything up to that checkpoint, made it durable and
 *       said so ({@link org.resilire.disk.ApplyJournal#release}). From then on the promises of the server hold on that host.
 *   <li>If both hosts end at once, each disk alone holds what was flushed on its own host; the backup's is that of a whole epoch.
 *   <li>The backup may forget an epoch that it has acknowledged and not applied, if it ends: with the replica of the memory, which
 *       it loses too. So the primary clears its {@link org.resilire.disk.DirtyBitmap} by what the backup says it has applied, not
 *       by what it has acknowledged.
 * </ul>
 *
 * <h2>Which host's disk is a copy of which</h2>
 *
 * A bitmap is about one copy, by the name that the backup's host has for its image ({@link org.resilire.disk.DiskIdentity}), and of any
 * other copy nothing is known: all of it is compared, by hashes, and only what differs travels.
 *
 * <p>When a guest goes on at its backup, the disk that stays behind gets a name that both hosts can tell from the name that the replica had
 * and the guest's new generation, and the new host's bitmap is about that copy, with nothing marked. After a planned move the two are
 * equal: the old host notes the name once nothing can write to its disk any more and it is on stable storage. After a takeover the old
 * host's disk may differ where its own bitmap is marked; if that bitmap can be relied on, its agent, once a standby, goes by the name and
 * says with the first epoch which blocks these are. It does so until it ends, and notes nothing: its next agent knows no more.
 *
 * <p>Whatever comes over the socket may be hostile. The most that a client gets by breaking the protocol is the end of its
 * connection.
 */
package org.resilire.disk;
