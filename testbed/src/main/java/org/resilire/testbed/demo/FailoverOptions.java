package org.resilire.testbed.demo;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import org.resilire.testbed.lab.AgentOptions;
import picocli.CommandLine.Option;

/** What can be said about every shown failover, whatever the guest does. */
final class FailoverOptions extends RunOptions {

    private static final Duration DETECT_TIMEOUT = Duration.ofMillis(100);

    @Option(
            names = "--repeat",
            paramLabel = "N",
            defaultValue = "1",
            description = "Fail over N times, each with a fresh guest, and show the distributions.")
    private int repeat;

    @Option(
            names = "--period",
            paramLabel = "TIME",
            defaultValue = "20ms",
            converter = MillisConverter.class,
            description = "From checkpoint to checkpoint. Default: ${DEFAULT-VALUE}.")
    private Duration period;

    @Override
    void require() {
        requireAtLeast("--repeat", repeat, 1);
        super.require();
    }

    AgentOptions agents() {
        return withDetectTimeout(AgentOptions.defaults().withPeriod(period), DETECT_TIMEOUT)
                .withPrimaryExtra(protectArguments());
    }

    Narrator narrator() {
        return new Narrator(out(), repeat == 1 || isVerbose());
    }

    int repeat() {
        return repeat;
    }

    /** Of a failover, counted from 1. Null: they are not kept. */
    Path logsOf(final int number) {
        return logs() == null || repeat == 1 ? logs() : logs().resolve(String.format(Locale.ROOT, "run-%03d", number));
    }
}
