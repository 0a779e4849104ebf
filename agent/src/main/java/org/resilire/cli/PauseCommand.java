package org.resilire.cli;

import picocli.CommandLine.Command;

@Command(
        name = "pause",
        header = "Let a guest run on unprotected for a while; both agents stay.",
        description = {
            "",
            "Run it on the primary's host. The backup is told first, so that it never starts the guest from what it has: if this host"
                    + " fails during the pause, the guest is lost. Checkpoints, or a synchronisation, end and output passes. If the backup"
                    + " cannot be told, output stays held until it can no longer take over by itself. Ends once all that is so; doing"
                    + " it again changes nothing. An agent that is started anew protects again.",
            ""
        },
        footerHeading = "%nExample:%n",
        footer = {"  resilire pause --vm db && long-batch-job; resilire resume --vm db"})
final class PauseCommand extends PrimaryCommand {}
