package org.resilire.cli;

import picocli.CommandLine.Command;

@Command(
        name = "switchover",
        header = "Move a protected guest to the backup's host, as planned.",
        description = {
            "",
            "Run it on the primary's host. The guest stands still for a last checkpoint and the load of its device state, and goes on"
                    + " there with all that it has done and all its connections; nothing is fenced. If the backup cannot load it, it goes on here.",
            "",
            "Afterwards this host's agent keeps a standby for it, if its configuration tells how ('resilire protect --help'), and the"
                    + " other agent protects it again, if it was started with --backup. Without, QEMU stays here, paused, and the agent ends.",
            ""
        },
        footerHeading = "%nExample:%n",
        footer = {"  resilire switchover --vm db && echo 'host A can be serviced once it is no standby any more'"})
final class SwitchoverCommand extends PrimaryCommand {}
