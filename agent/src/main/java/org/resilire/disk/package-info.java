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
 * <p>Whatever comes over the socket may be hostile. The most that a client gets by breaking the protocol is the end of its
 * connection.
 */
package org.resilire.disk;
