package org.resilire.guest.qemu;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.resilire.guest.GuestException;

/** Makes a standby's command line from a guest's. */
final class StandbyCommandLine {

    private static final String NO_CONFIGURATION_SECTION = "migration.send-configuration=";

    private StandbyCommandLine() {}

    /**
     * Appends what makes a QEMU wait for a device state and take the one that {@code xen-save-devices-state} writes, which has
     * neither a configuration section nor a description of itself.
     */
    static List<String> of(final List<String> command, final Path qmpSocket) {
        if (command.isEmpty()) {
            throw new GuestException("the standby's command line is empty");
        }
        refuse(command, "-daemonize", "the agent keeps the standby as its child: leave it out");
        refuse(command, "-incoming", "the agent gives the standby its state: leave it out");
        final List<String> standby = new ArrayList<>(command);
        if (!has(command, "-S")) {
            standby.add("-S");
        }
        standby.add("-incoming");
        standby.add("defer");
        if (command.stream().noneMatch(argument -> argument.contains(NO_CONFIGURATION_SECTION))) {
            standby.add("-global");
            standby.add(NO_CONFIGURATION_SECTION + "off");
        }
        if (command.stream().noneMatch(argument -> argument.contains("suppress-vmdesc="))) {
            // QEMU merges this into the -machine that is there.
            standby.add("-machine");
            standby.add("suppress-vmdesc=on");
        }
        standby.add("-qmp");
        standby.add("unix:" + qmpSocket + ",server=on,wait=off");
        return List.copyOf(standby);
    }

    private static void refuse(final List<String> command, final String option, final String why) {
        if (has(command, option)) {
            throw new GuestException("the standby's command line has " + option + ": " + why);
        }
    }

    /** QEMU takes an option with one dash or two. */
    private static boolean has(final List<String> command, final String option) {
        return command.contains(option) || command.contains("-" + option);
    }
}
