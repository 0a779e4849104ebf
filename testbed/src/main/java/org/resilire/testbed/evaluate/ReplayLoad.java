package org.resilire.testbed.evaluate;

import java.util.Arrays;
import java.util.Locale;
import org.resilire.testbed.evaluate.client.LoadSpec;
import org.resilire.testbed.evaluate.client.LoadSpec.Pace;
import org.resilire.testbed.evaluate.client.LoadSpec.Protocol;

/** What guests do while input replay is compared; the first two are the papers', as far as they are known. */
@SuppressWarnings("ImmutableEnumChecker") // a record of values is immutable; the annotation's library is no dependency
enum ReplayLoad {
    HIGH_NET(
            "HighNet: a request every 10 ms, no computation",
            "work 8082 0",
            new LoadSpec(Protocol.HTTP_WORK, 8082, 200, 2_000_000, Pace.STEADY)),
    /** The papers' has no requests; without any, nobody could tell from outside when the guest serves again. */
    HIGH_SYS(
            "HighSys: 200 pages/s written; one client asks the web server for a small page every 20 ms, to see whether it answers",
            "dirty 200 64 sequential 16384",
            new LoadSpec(Protocol.HTTP_SMALL, 80, 1, 20_000, Pace.STEADY)),
    WEB_STATIC(Workload.WEB_STATIC.title(), Workload.WEB_STATIC.guestCommand(), Workload.WEB_STATIC.load()),
    WEB_DYNAMIC(Workload.WEB_DYNAMIC.title(), Workload.WEB_DYNAMIC.guestCommand(), Workload.WEB_DYNAMIC.load());

    private final String title;
    private final String guestCommand;
    private final LoadSpec clients;

    ReplayLoad(final String title, final String guestCommand, final LoadSpec clients) {
        this.title = title;
        this.guestCommand = guestCommand;
        this.clients = clients;
    }

    /** In the results. */
    String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    String title() {
        return title;
    }

    /** For the guest's workload service, without its number; null if nothing is to be started there. */
    String guestCommand() {
        return guestCommand;
    }

    LoadSpec clients() {
        return clients;
    }

    static ReplayLoad labelled(final String label) {
        return Arrays.stream(values())
                .filter(load -> load.label().equals(label))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no load '" + label + "'"));
    }
}
