package org.resilire.epoch;

import org.resilire.codec.PageCodec;
import org.resilire.epoch.ReplicationMode.Identification;
import org.resilire.fgbi.BlockSize;

/**
 * A mode as an operator says it: what is not said (null) follows from what is.
 *
 * @param wholePages whether written pages travel whole
 * @param identification how changed blocks are told
 * @param blockSize the unit of change
 * @param codec how blocks are made smaller
 * @param sharing whether blocks that the backup has elsewhere are referred to
 */
public record ModeChoice(
        Boolean wholePages, Identification identification, BlockSize blockSize, PageCodec codec, Boolean sharing) {

    /**
     * The mode for an agent that begins with it.
     *
     * @throws IllegalArgumentException in one line that says why it cannot be and what could be instead
     */
    public ReplicationMode resolve() {
        final Identification how = resolveIdentification();
        if (how == Identification.PAGE && blockSize != null) {
            throw new IllegalArgumentException("--block is of no use where whole pages are sent: leave it out");
        }
        return new ReplicationMode(
                how,
                blockSize == null ? BlockSize.B64 : blockSize,
                codec != null ? codec : how == Identification.PAGE ? PageCodec.RAW : PageCodec.AUTO,
                sharing == null ? how == Identification.SHADOW : sharing);
    }

    /**
     * The mode for an agent that has one: if this says how changes are told, it is as if the agent began with it; otherwise what is
     * not said stays as it is.
     *
     * @throws IllegalArgumentException as {@link #resolve()} does
     */
    public ReplicationMode resolveAfter(final ReplicationMode before) {
        if (wholePages != null || identification != null) {
            return resolve();
        }
        return new ModeChoice(
                        before.identification() == Identification.PAGE,
                        before.identification(),
                        blockSize != null || before.identification() == Identification.PAGE
                                ? blockSize
                                : before.blockSize(),
                        codec == null ? before.codec() : codec,
                        sharing == null ? Boolean.valueOf(before.sharing()) : sharing)
                .resolve();
    }

    private Identification resolveIdentification() {
        final boolean whole = Boolean.TRUE.equals(wholePages);
        if (identification == null) {
            return whole ? Identification.PAGE : Identification.SHADOW;
        }
        if ((identification == Identification.PAGE) != whole) {
            throw new IllegalArgumentException(
                    whole
                            ? "--mode remus sends whole pages: --identify " + identification.text()
                                    + " is for --mode fgbi"
                            : "--identify page sends whole pages: that is --mode remus");
        }
        return identification;
    }
}
