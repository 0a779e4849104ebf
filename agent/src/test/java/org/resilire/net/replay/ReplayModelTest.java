package org.resilire.net.replay;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.resilire.net.FrameRing;

/**
 * Clients, a guest that is killed, a guest that goes on from a checkpoint with other initial sequence numbers and an older clock, and
 * between them what is tested. The order of all that happens, what the network loses and when the host dies, a seed decides.
 */
class ReplayModelTest {

    private static final int CLIENTS = 5;
    private static final long REQUESTS_A_CLIENT = 300;
    private static final int STEPS_A_MILLI = 20;
    private static final int TIMER_STEPS = 400;
    private static final int MOST_STEPS = 400_000;
    private static final int MAX_FLOWS = 1 << 10;

    /** A frame of the guest's that waits to leave. */
    private static final class Held {

        private final byte[] frame;
        private final long position;
        private final long epoch;

        Held(final byte[] frame, final long position, final long epoch) {
            this.frame = frame;
            this.position = position;
            this.epoch = epoch;
        }
    }

    /** An entry of the log on its way to the backup. */
    private record Entry(int kind, long position, ByteBuffer content) {}

    /** One on its way to the backup. */
    private record Checkpoint(long epoch, ModelGuest guest, long position) {}

    private final List<ModelClient> clients = new ArrayList<>();
    private final EmittedFlows emittedFlows = new EmittedFlows(MAX_FLOWS, 1);
    private final Queue<Held> gate = new ArrayDeque<>();
    private final Deque<Entry> link = new ArrayDeque<>();
    private final Deque<Checkpoint> checkpoints = new ArrayDeque<>();
    private final UnsafeBuffer records = new UnsafeBuffer(new byte[EmittedFlows.lengthBytes(64)]);
    private long clockNanos = 1;
    private long position;
    private boolean isFirst = true;
    private long epoch = 1;

    static IntStream seeds() {
        return IntStream.range(0, 200);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void shouldExecuteEachRequestOnceAndLetEachAnswerArriveWhenHostDies(final int seed) {
        final Random random = new Random(seed);
        final boolean reusesPorts = seed % 3 == 0;
        for (int i = 0; i < CLIENTS; i++) {
            clients.add(new ModelClient(i, reusesPorts, REQUESTS_A_CLIENT, random));
        }
        final boolean losesFrames = random.nextBoolean();
        final boolean opensBeforeFirstCheckpoint = random.nextBoolean();
        final int crashAfter = 100 + random.nextInt(3_000);
        try (ReplayLog log = new ReplayLog(1 << 20)) {
            final ModelGuest survivor = runUntilCrash(log, random, losesFrames, opensBeforeFirstCheckpoint, crashAfter);
            final long rollbackMillis = 1L + clients.getFirst().clockMillis - survivor.clockMillis;
            try (ReplayController replay =
                    new ReplayController(log, rollbackMillis, seed, MAX_FLOWS, () -> clockNanos)) {
                replay.begin();
                runToTheEnd(replay, survivor, random, losesFrames);
                final String figures = figures(replay);
                assertEquals(0, replay.counted(ReplayCounter.DIVERGED_FLOWS), figures);
                assertEquals(0, replay.counted(ReplayCounter.UNTRACKED_FLOWS), figures);
                assertTrue(replay.counted(ReplayCounter.REPLAY_NANOS) > 0, figures);
                for (final ModelClient client : clients) {
                    assertEquals(0, client.staleTimestamps, figures);
                }
            }
            assertEquals(
                    LongStream.rangeClosed(1, CLIENTS * REQUESTS_A_CLIENT)
                            .boxed()
                            .toList(),
                    clients.stream()
                            .flatMap(client -> client.serials().stream())
                            .sorted()
                            .toList(),
                    "each request has one number, and each number one request");
        }
    }

    private ModelGuest runUntilCrash(
            final ReplayLog log,
            final Random random,
            final boolean losesFrames,
            final boolean opensBeforeFirstCheckpoint,
            final int crashAfter) {
        final ModelGuest guest = new ModelGuest(0, clients.getFirst().clockMillis);
        ModelGuest committed = null;
        if (!opensBeforeFirstCheckpoint) {
            committed = commit(log, new Checkpoint(epoch++, guest.checkpoint(1), position));
        }
        for (int step = 0; step < crashAfter || committed == null; step++) {
            tick(guest, step);
            moveClients(random, losesFrames, frame -> {
                logEntry(ReplayLog.FRAME, frame);
                guest.give(frame);
            });
            if (random.nextInt(3) > 0) {
                guest.step();
            }
            for (byte[] frame = guest.sent.poll(); frame != null; frame = guest.sent.poll()) {
                gate.add(new Held(frame, position, epoch));
            }
            release(log, random, losesFrames);
            if (random.nextInt(4) == 0) {
                tellEmitted();
            }
            carryLog(log, random.nextInt(4));
            if (random.nextInt(150) == 0) {
                final long seen = Math.max(0, position - random.nextInt(3) * 96L);
                checkpoints.add(new Checkpoint(epoch++, guest.checkpoint(random.nextInt()), seen));
            }
            if (!checkpoints.isEmpty() && random.nextInt(60) == 0) {
                committed = commit(log, checkpoints.remove());
            }
            if (step % TIMER_STEPS == TIMER_STEPS - 1) {
                guest.repeatUnacknowledged();
            }
        }
        return committed;
    }

    private static ModelGuest commit(final ReplayLog log, final Checkpoint checkpoint) {
        log.committed(checkpoint.epoch(), checkpoint.position());
        return checkpoint.guest();
    }

    private void tick(final ModelGuest guest, final int step) {
        clockNanos += 1_000_000L / STEPS_A_MILLI;
        if (step % STEPS_A_MILLI == 0) {
            guest.clockMillis++;
            clients.forEach(client -> client.clockMillis++);
        }
        if (step % TIMER_STEPS == 0) {
            clients.forEach(ModelClient::repeatUnacknowledged);
        }
    }

    private interface Ingress {
        void accept(byte[] frame);
    }

    private void moveClients(final Random random, final boolean losesFrames, final Ingress ingress) {
        final ModelClient client = clients.get(random.nextInt(CLIENTS));
        client.step();
        for (byte[] frame = client.sent.poll(); frame != null; frame = client.sent.poll()) {
            if (!losesFrames || random.nextInt(50) > 0) {
                ingress.accept(frame);
            }
        }
    }

    private void logEntry(final int kind, final byte[] content) {
        position += FrameRing.recordBytes(content.length);
        link.add(new Entry(kind, position, ByteBuffer.wrap(content.clone())));
    }

    private void release(final ReplayLog log, final Random random, final boolean losesFrames) {
        while (!gate.isEmpty() && gate.peek().position <= log.position()) {
            final Held held = gate.remove();
            emittedFlows.onEmitted(MemorySegment.ofArray(held.frame), 0, held.frame.length, held.epoch);
            if (!losesFrames || random.nextInt(50) > 0) {
                clients.forEach(client -> client.on(held.frame, held.frame.length));
            }
        }
    }

    private void tellEmitted() {
        final int lengthBytes = emittedFlows.tell(records, 0, 64);
        if (lengthBytes > 0) {
            final byte[] content = new byte[lengthBytes];
            records.getBytes(0, content);
            logEntry(ReplayLog.EMITTED, content);
        }
    }

    private void carryLog(final ReplayLog log, final int entries) {
        for (int i = 0; i < entries && !link.isEmpty(); i++) {
            final Entry entry = link.remove();
            final UnsafeBuffer content = new UnsafeBuffer(entry.content());
            assertNull(log.append(entry.kind(), entry.position(), isFirst, content, 0, content.capacity()));
            isFirst = false;
        }
    }

    private void runToTheEnd(
            final ReplayController replay, final ModelGuest guest, final Random random, final boolean losesFrames) {
        // The guest runs a little later than the network is ready.
        final int startsAt = random.nextInt(200);
        for (int step = 1; step < MOST_STEPS; step++) {
            tick(guest, step);
            replay.deliverDue((frames, offset, lengthBytes) -> {
                if (random.nextInt(10) == 0) {
                    return false;
                }
                guest.give(frames.asSlice(offset, lengthBytes).toArray(JAVA_BYTE));
                return true;
            });
            moveClients(random, losesFrames, frame -> {
                final byte[] changeable = frame.clone();
                if (replay.onInbound(MemorySegment.ofArray(changeable), 0, changeable.length)) {
                    guest.give(changeable);
                }
            });
            if (step >= startsAt && random.nextInt(3) > 0) {
                guest.step();
            }
            for (byte[] frame = guest.sent.poll(); frame != null; frame = guest.sent.poll()) {
                final byte[] changeable = frame;
                if (replay.onOutbound(MemorySegment.ofArray(changeable), 0, changeable.length)
                        && (!losesFrames || random.nextInt(50) > 0)) {
                    clients.forEach(client -> client.on(changeable, changeable.length));
                }
            }
            if (step % TIMER_STEPS == TIMER_STEPS - 1) {
                guest.repeatUnacknowledged();
            }
            if (clients.stream().allMatch(ModelClient::isDone)) {
                return;
            }
        }
        throw new AssertionError("not all requests were answered: " + figures(replay) + clients);
    }

    private static String figures(final ReplayController replay) {
        final StringBuilder text = new StringBuilder();
        for (final ReplayCounter counter : ReplayCounter.values()) {
            text.append(counter).append(' ').append(replay.counted(counter)).append(", ");
        }
        return text.toString();
    }
}
