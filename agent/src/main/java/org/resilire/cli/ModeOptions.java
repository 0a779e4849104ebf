package org.resilire.cli;

import org.resilire.codec.PageCodec;
import org.resilire.epoch.ModeChoice;
import org.resilire.epoch.ReplicationMode;
import org.resilire.epoch.ReplicationMode.Identification;
import org.resilire.fgbi.BlockSize;
import org.resilire.net.GateMode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** What of a written page travels, and how. Options left out are filled in by the mode, then checked against each other. */
final class ModeOptions {

    enum Mode {
        FGBI,
        REMUS,
        LLM
    }

    enum Release {
        ON_LOG("on-log"),
        AT_ONCE("at-once");

        private final String text;

        Release(final String text) {
            this.text = text;
        }

        /** The name that users write. */
        @Override
        public String toString() {
            return text;
        }
    }

    enum Sharing {
        ON,
        OFF
    }

    @Option(
            names = "--mode",
            paramLabel = "MODE",
            defaultValue = "fgbi",
            description =
                    "fgbi: the blocks of a written page that changed. remus: written pages, whole. llm: as fgbi, but"
                            + " what the guest sends does not wait for checkpoints: what arrives is logged on the backup, and after a"
                            + " failover the guest is given it again. See the README for what that cannot promise."
                            + " Default: ${DEFAULT-VALUE}.")
    Mode mode;

    @Option(
            names = "--release",
            paramLabel = "WHEN",
            description =
                    "With --mode llm, what the guest sends leaves: on-log, once the backup has all that arrived before"
                            + " it; at-once: an answer may be lost that was given within the last round trip of the link before the"
                            + " host died. Default: on-log.")
    Release release;

    @Option(
            names = "--identify",
            paramLabel = "HOW",
            description =
                    "How --mode fgbi or llm tells which blocks changed. shadow: by a copy of what was sent; exact, costs as"
                            + " much memory as the guest uses. hash: by 8 bytes a block; a change that keeps a block's hash is missed."
                            + " page: not at all, with --mode llm, which then sends written pages whole. Default: shadow.")
    Identification identify;

    @Option(names = "--block", paramLabel = "BYTES", description = "Size of a block: 64, 128 or 256. Default: 64.")
    Integer blockBytes;

    @Option(
            names = "--codec",
            paramLabel = "CODEC",
            description =
                    "How blocks are made smaller. delta: what differs from what was sent before. lz4: a batch at a time."
                            + " pack: a batch without its zero bytes. delta+lz4, delta+pack, delta+pack+lz4: one after the other."
                            + " raw: not at all. auto: delta, and pack and lz4 while the link is slower than these."
                            + " Default: auto with --mode fgbi or llm, raw with remus.")
    String codec;

    @Option(
            names = "--sharing",
            paramLabel = "on|off",
            description = "Refer to blocks that the backup has elsewhere instead of sending them."
                    + " Default: on with --identify shadow, else off.")
    Sharing sharing;

    @Option(
            names = "--encoder-thread",
            arity = "0..1",
            fallbackValue = "true",
            hideParamSyntax = true,
            description = "Encode on a thread of its own instead of the link's; for hosts with a core to spare.")
    boolean encoderThread;

    /** All of it as one, or a refusal in one line. */
    ReplicationMode mode(final CommandSpec spec) {
        try {
            return mode();
        } catch (final IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    /** When output leaves, or a refusal in one line. */
    GateMode release(final CommandSpec spec) {
        if (mode == Mode.LLM) {
            return release == Release.AT_ONCE ? GateMode.AT_ONCE : GateMode.LOGGED;
        }
        if (release != null) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--release is for --mode llm: in other modes output leaves when its checkpoint is safe");
        }
        return GateMode.HOLD;
    }

    private ReplicationMode mode() {
        return new ModeChoice(
                        wholePages(),
                        identify,
                        blockBytes == null ? null : BlockSize.of(blockBytes),
                        codec == null ? null : PageCodec.of(codec),
                        sharing == null ? null : Boolean.valueOf(sharing == Sharing.ON))
                .resolve();
    }

    /** With llm, whole pages are what it sent in its time. */
    private boolean wholePages() {
        return mode == Mode.REMUS || (mode == Mode.LLM && identify == Identification.PAGE);
    }
}
