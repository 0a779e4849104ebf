package org.resilire.cli;

import java.util.concurrent.Callable;
import org.resilire.control.AgentRole;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** A command about one guest, to an agent that runs here. */
abstract class GuestCommand implements Callable<Integer> {

    @Spec
    CommandSpec spec;

    @Mixin
    CommonOptions common;

    final AgentControl agent(final AgentRole role) {
        return new AgentControl(role, common, spec);
    }
}
