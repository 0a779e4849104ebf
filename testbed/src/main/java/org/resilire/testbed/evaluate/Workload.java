package org.resilire.testbed.evaluate;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.resilire.testbed.evaluate.client.LoadSpec;
import org.resilire.testbed.evaluate.client.LoadSpec.Protocol;

/** What a guest does while it is measured. */
@SuppressWarnings("ImmutableEnumChecker") // a record of values is immutable; the annotation's library is no dependency
enum Workload {
    IDLE("Idle", "nothing", null, null),
    REDIS(
            "Redis writes",
            "SET of 256 B values over 8 connections, 2 ms between answer and request",
            null,
            new LoadSpec(Protocol.REDIS_SET, 6379, 8, 2_000)),
    WEB_STATIC(
            "Static web",
            "a 256 KiB file over 100 connections, served by nginx, 2 s between answer and request",
            null,
            new LoadSpec(Protocol.HTTP_FILE_256K, 80, 100, 2_000_000)),
    WEB_DYNAMIC(
            "Dynamic web (stand-in for SPECweb)",
            "pages made for 4,096 sessions over 100 connections, 500 ms between answer and request; not SPECweb2005,"
                    + " which may not be passed on",
            "web 8080",
            new LoadSpec(Protocol.HTTP_SESSIONS, 8080, 100, 500_000)),
    FILES(
            "File serving (stand-in for SPECsys)",
            "reads, writes and new files on a tmpfs over 16 connections, 20 ms between answer and request; files are the alphabet"
                    + " from one of its letters on, so most of their blocks are equal to others; not SPEC's benchmark, which may not"
                    + " be passed on",
            "files 8081",
            new LoadSpec(Protocol.HTTP_FILE_OPERATIONS, 8081, 16, 20_000)),
    NPB_EP(
            "NPB-EP",
            "our implementation of the published algorithm, class S again and again. What it writes is deviates, new ones each"
                    + " time, of 46 random bits in 64: in effect random overwrites, of which no code that does not know the"
                    + " generator leaves less than 0.72",
            "ep S",
            null),
    DIRTY(
            "Dirtier, 12,000 pages/s",
            "adds 1 to each 8-byte word of 64 B in each of 12,000 pages/s, one after another over 64 MiB: the papers' rate of"
                    + " SPECweb, with changes that compress better than any program's",
            "dirty 12000 64 sequential 16384",
            null),
    DIRTY_RANDOM(
            "Dirtier, random overwrites",
            "fills 2,000 random pages/s of 64 MiB with noise: nothing to compress, nothing to share",
            "dirty 2000 4096 random 16384",
            null);

    private final String title;
    private final String description;
    private final String guestCommand;
    private final LoadSpec load;

    Workload(final String title, final String description, final String guestCommand, final LoadSpec load) {
        this.title = title;
        this.description = description;
        this.guestCommand = guestCommand;
        this.load = load;
    }

    /** On the command line and in the results. */
    String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    String title() {
        return title;
    }

    String description() {
        return description;
    }

    /** For the guest's workload service, without its number; null if nothing is to be started there. */
    String guestCommand() {
        return guestCommand;
    }

    /** Its clients; null if it has none. */
    LoadSpec load() {
        return load;
    }

    /** Whether it needs the agent, which passes the guest's frames, even when it is not protected. */
    boolean needsNetwork() {
        return load != null;
    }

    static Workload labelled(final String label) {
        return Arrays.stream(values())
                .filter(workload -> workload.label().equals(label))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no workload '" + label + "'; there are "
                        + Arrays.stream(values()).map(Workload::label).collect(Collectors.joining(", "))));
    }
}
