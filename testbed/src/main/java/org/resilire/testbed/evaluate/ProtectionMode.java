package org.resilire.testbed.evaluate;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A way for the agent to replicate, by its options. All are modes of one agent: they share the pause, the tracking of written
 * pages, the link and everything else that is not the mode.
 *
 * @param name on the command line and in the results
 * @param title for people
 * @param options of {@code resilire protect}
 */
record ProtectionMode(String name, String title, List<String> options) {

    static final ProtectionMode REMUS_RAW =
            new ProtectionMode("remus-raw", "Remus, raw pages", List.of("--mode", "remus", "--codec", "raw"));
    static final ProtectionMode REMUS_COMPRESSED = new ProtectionMode(
            "remus-compressed", "Remus, XOR + LZ4", List.of("--mode", "remus", "--codec", "delta+lz4"));

    /** Remus with the coder that FGBI has: what of the difference is the blocks', and what is the coder's. */
    static final ProtectionMode REMUS_PACKED = new ProtectionMode(
            "remus-packed",
            "Remus, XOR + zero bytes left out + LZ4",
            List.of("--mode", "remus", "--codec", "delta+pack+lz4"));

    static final ProtectionMode FGBI_BARE = fgbi("fgbi-bare", "FGBI, 64 B blocks alone", 64, "raw", "off");
    static final ProtectionMode FGBI_COMPRESSION =
            fgbi("fgbi-compression", "FGBI + compression", 64, "delta+pack+lz4", "off");
    static final ProtectionMode FGBI_SHARING = fgbi("fgbi-sharing", "FGBI + sharing", 64, "raw", "on");
    static final ProtectionMode FGBI_BOTH =
            fgbi("fgbi-both", "FGBI + compression + sharing", 64, "delta+pack+lz4", "on");

    /** As the agent is without any option: it compresses only while that is faster than the link. */
    static final ProtectionMode DEFAULT = fgbi("fgbi-auto", "FGBI, the default (adaptive)", 64, "auto", "on");

    /** The default with nothing captured before the pause. */
    static final ProtectionMode NOT_AHEAD =
            DEFAULT.with("fgbi-not-ahead", "FGBI, nothing captured ahead", "--capture-ahead", "0");

    /** The order is that of the reports. */
    static final List<ProtectionMode> ALL = List.of(
            REMUS_RAW,
            REMUS_COMPRESSED,
            REMUS_PACKED,
            FGBI_BARE,
            FGBI_COMPRESSION,
            FGBI_SHARING,
            FGBI_BOTH,
            DEFAULT,
            fgbi("fgbi-both-128", "FGBI + both, 128 B blocks", 128, "delta+pack+lz4", "on"),
            fgbi("fgbi-both-256", "FGBI + both, 256 B blocks", 256, "delta+pack+lz4", "on"),
            new ProtectionMode(
                    "fgbi-hash",
                    "FGBI by hashes, LZ4",
                    List.of("--mode", "fgbi", "--identify", "hash", "--codec", "lz4", "--sharing", "off")));

    private static ProtectionMode fgbi(
            final String name, final String title, final int blockBytes, final String codec, final String sharing) {
        return new ProtectionMode(
                name,
                title,
                List.of(
                        "--mode",
                        "fgbi",
                        "--block",
                        Integer.toString(blockBytes),
                        "--codec",
                        codec,
                        "--sharing",
                        sharing));
    }

    /** The same with written pages looked for by several threads. */
    ProtectionMode withScanThreads(final int threads) {
        return with(name, title, "--scan-threads", Integer.toString(threads));
    }

    private ProtectionMode with(final String otherName, final String otherTitle, final String... moreOptions) {
        final List<String> more = new ArrayList<>(options);
        more.addAll(List.of(moreOptions));
        return new ProtectionMode(otherName, otherTitle, List.copyOf(more));
    }

    static ProtectionMode named(final String name) {
        return Stream.concat(ALL.stream(), Stream.of(NOT_AHEAD))
                .filter(mode -> mode.name.equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no mode '" + name + "'; there are "
                        + ALL.stream().map(ProtectionMode::name).collect(Collectors.joining(", "))));
    }
}
