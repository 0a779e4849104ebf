package org.resilire.primary;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.resilire.control.ControlException;
import org.resilire.control.ControlHandler;
import org.resilire.control.ControlProgress;
import org.resilire.disk.DiskVerification;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The control command {@code verify}: has the backup compare memory at the next checkpoint, then the disks while the guest uses them. On a
 * control thread.
 *
 * <pre>
 *   → {"command":"verify"}
 *   ← {"ok":true,"epoch":4711,"comparedPages":131072,"differingPages":0,"firstDifferingPages":[],
 *      "disks":[{"name":"d0","comparedBlocks":128,"differingBlocks":0,"firstDifferingOffsets":[]}]}
 * </pre>
 */
final class VerifyHandler implements ControlHandler {

    private static final long LEAST_LIMIT_SECONDS = 30;

    /** What a slow backup compares beside the epochs that it applies. */
    private static final long BYTES_A_SECOND = 256L << 20;

    private final VerifyRequests requests;
    private final ProtectionSwitch protectionSwitch;
    private final GuestDisks disks;
    private final long limitSeconds;

    VerifyHandler(
            final VerifyRequests requests,
            final ProtectionSwitch protectionSwitch,
            final GuestDisks disks,
            final long memoryBytes) {
        this.limitSeconds = LEAST_LIMIT_SECONDS + memoryBytes / BYTES_A_SECOND;
        this.requests = requests;
        this.protectionSwitch = protectionSwitch;
        this.disks = disks;
    }

    @Override
    public ObjectNode handle(final JsonNode request, final ControlProgress progress) throws InterruptedException {
        if (protectionSwitch.isPauseWanted()) {
            throw new ControlException(
                    "protection is paused, so there is no replica to compare with; 'resilire resume' makes one");
        }
        final VerifyRequests.Outcome outcome = compareMemory();
        final ObjectNode answer = JsonMapper.shared().createObjectNode();
        answer.put("epoch", outcome.epoch());
        answer.put("comparedPages", outcome.comparedPages());
        answer.put("differingPages", outcome.differingPages());
        final ArrayNode pages = answer.putArray("firstDifferingPages");
        for (final long page : outcome.firstDiffering()) {
            pages.add(page);
        }
        final ArrayNode compared = answer.putArray("disks");
        for (final DiskVerification.Result disk : disks.verify(progress)) {
            final ObjectNode node = compared.addObject();
            node.put("name", disk.disk());
            node.put("comparedBlocks", disk.comparedBlocks());
            node.put("differingBlocks", disk.differingBlocks());
            final ArrayNode offsets = node.putArray("firstDifferingOffsets");
            for (final long offset : disk.firstDiffering()) {
                offsets.add(offset);
            }
        }
        return answer;
    }

    private VerifyRequests.Outcome compareMemory() throws InterruptedException {
        try {
            return requests.await(TimeUnit.SECONDS.toNanos(limitSeconds));
        } catch (final TimeoutException e) {
            throw new ControlException("no checkpoint was compared within "
                    + limitSeconds
                    + " s; is the guest protected? 'resilire status' tells");
        }
    }
}
