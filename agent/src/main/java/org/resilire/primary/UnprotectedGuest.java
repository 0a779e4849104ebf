package org.resilire.primary;

import org.resilire.control.AgentState;
import org.resilire.guest.Guest;
import org.resilire.net.GateMode;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The guest while no backup has it: whether it goes on, and whether its output passes. Checkpoint thread only. */
final class UnprotectedGuest {

    private static final Logger LOG = LoggerFactory.getLogger(UnprotectedGuest.class);

    private final PrimaryContext context;
    private final Guest guest;
    private final PrimaryMetrics metrics;
    private boolean isHeldPaused;

    UnprotectedGuest(final PrimaryContext context, final PrimaryMetrics metrics) {
        this.context = context;
        this.guest = context.guest();
        this.metrics = metrics;
    }

    /** True while it is paused because it is to run protected or not at all. */
    boolean isHeldPaused() {
        return isHeldPaused;
    }

    /** An earlier agent has left it, running or paused. */
    void foundAsItIs() {
        isHeldPaused = guest.isPaused() && context.onBackupLoss() == BackupLossPolicy.PAUSE;
    }

    /** It runs and its output passes: nothing can take over, which a successor of this agent is to know. */
    void goOn() {
        guest.resume();
        isHeldPaused = false;
        context.record().unprotected();
        letOutputPass();
    }

    /** Beside a guest whose disks wait for nobody; what of it the disks were promised in pauses, they keep first. */
    void letOutputPass() {
        context.disks().settle();
        context.outputEpochs().changeMode(GateMode.PASS);
    }

    /** The backup that was lost cannot take over any more: it goes on alone, or waits for another, as configured. */
    void onBackupLost() {
        if (context.onBackupLoss() == BackupLossPolicy.PAUSE) {
            LOG.error("no backup: the guest is paused until it is protected again (--on-backup-loss pause)");
            guest.pause();
            isHeldPaused = true;
        } else {
            LOG.error("no backup: the guest goes on UNPROTECTED");
            goOn();
        }
        metrics.state(AgentState.UNPROTECTED);
    }

    /** A checkpoint was made: it runs, protected. */
    void ended() {
        isHeldPaused = false;
    }
}
