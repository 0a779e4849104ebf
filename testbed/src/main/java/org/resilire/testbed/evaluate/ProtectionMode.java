package org.resilire.testbed.evaluate;

import java.util.List;
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

    static final ProtectionMode REMUS_RAW = mode("remus-raw", "Remus, raw pages", "remus", 0, "raw", false);
    static final ProtectionMode REMUS_COMPRESSED =
            mode("remus-compressed", "Remus, XOR + LZ4", "remus", 0, "delta+lz4", false);
    static final ProtectionMode FGBI_BARE = mode("fgbi-bare", "FGBI, 64 B blocks alone", "fgbi", 64, "raw", false);
    static final ProtectionMode FGBI = mode("fgbi", "FGBI, compression and sharing", "fgbi", 64, "auto", true);

    /** The order is that of the reports. */
    static final List<ProtectionMode> ALL = List.of(
            REMUS_RAW,
            REMUS_COMPRESSED,
            FGBI_BARE,
            mode("fgbi-compression", "FGBI + compression", "fgbi", 64, "auto", false),
            mode("fgbi-sharing", "FGBI + sharing", "fgbi", 64, "raw", true),
            FGBI,
            mode("fgbi-128", "FGBI, 128 B blocks", "fgbi", 128, "auto", true),
            mode("fgbi-256", "FGBI, 256 B blocks", "fgbi", 256, "auto", true),
            new ProtectionMode(
                    "fgbi-hash-64",
                    "FGBI, 64 B blocks by hash",
                    List.of(
                            "--mode",
                            "fgbi",
                            "--identify",
                            "hash",
                            "--block",
                            "64",
                            "--codec",
                            "lz4",
                            "--sharing",
                            "off")));

    private static ProtectionMode mode(
            final String name,
            final String title,
            final String mode,
            final int blockBytes,
            final String codec,
            final boolean sharing) {
        final Stream<String> block = blockBytes == 0
                ? Stream.of()
                : Stream.of("--block", Integer.toString(blockBytes), "--sharing", sharing ? "on" : "off");
        return new ProtectionMode(
                name,
                title,
                Stream.concat(Stream.of("--mode", mode, "--codec", codec), block)
                        .toList());
    }

    static ProtectionMode named(final String name) {
        return ALL.stream()
                .filter(mode -> mode.name.equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no mode '" + name + "'"));
    }
}
