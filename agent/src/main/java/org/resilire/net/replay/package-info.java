/**
 * Input replay: a failover that lets the guest do again what it did since its last checkpoint, instead of holding back what it answers
 * until the checkpoint is safe (LLM, SSS 2010).
 *
 * <pre>
 *  PRIMARY   world ──frame──► logged ──► guest          guest ──response──► world, at once or once all input before it is logged
 *                               │                                  │
 *                               └──────── INPUT stream ◄───────────┘ how far each flow has gone: EmittedFlows
 *  BACKUP                    ReplayLog: what arrived and what had left, in order, since the last checkpoint
 *
 *  TAKEOVER  guest at the checkpoint ◄── ReplayController ◄── log, then the world
 *                     └──────────────────► ReplayController ──► world: only what it has not
 * </pre>
 *
 * <h2>The two boundaries</h2>
 *
 * <p><b>a, from where to replay</b>: the first frame that the checkpoint has not seen. The primary counts positions in the log; when it
 * pauses the guest it knows up to which position QEMU had taken everything, and says so with the checkpoint. A few frames may
 * be given twice, never none.
 *
 * <p><b>b, from where to let out</b>: of a TCP connection, the first byte that the other end has not acknowledged, in the log or since.
 * What had left but was not acknowledged leaves again: nobody else would repeat it, and who has it drops it and acknowledges, which
 * the guest needs. Of datagrams, as many are left out of each flow as had been told to have left since the checkpoint.
 *
 * <h2>TCP after a rollback</h2>
 *
 * <ul>
 *   <li>A guest that has not yet sent what a logged frame acknowledges would drop it (RFC 9293, 3.10.7.4): the frame waits until the guest
 *       has. How far it had sent at the checkpoint it is asked, with an acknowledgement that it must answer and that changes nothing.
 *   <li>A connection that was opened since the checkpoint gets another initial sequence number from the guest: its numbers are translated
 *       both ways, selective acknowledgements too, for as long as it lives. The number that the other end knows is told by the
 *       primary, or by what that end acknowledged first.
 *   <li>The guest's clock went back to the checkpoint, and with it its timestamps, which the other end would drop as old (RFC 7323): they are
 *       moved on by as much, and the echoes back, for connections that were in use.
 *   <li>A flow that does not do again what it did is not waited for for ever: see {@link org.resilire.net.replay.ReplayController}.
 * </ul>
 *
 * <h2>What is promised</h2>
 *
 * <p>With {@code --release on-log}: whoever got an answer, its request and all that arrived before it are on the backup. With {@code
 * at-once}, an answer may leave before; if the host dies within just that time, about a round trip of the link, the guest does not know
 * what it answered.
 *
 * <p>The guest executes again, it is not restored: with another interleaving of its threads, other timer ticks, other random numbers, other
 * input from its disk it may come to another result than the one that had left. Nothing can notice all such cases. A server whose
 * answers depend on its input alone and that executes requests in the order in which they come (one thread, or requests
 * that do not interfere) answers the same. A connection whose answer becomes longer or shorter than the one that had left is broken or,
 * worse, out of step. Guests that cannot live with that need a mode that holds output.
 *
 * <p>What is translated lives in the agent of the host that took over: if that ends, those connections do.
 */
package org.resilire.net.replay;
