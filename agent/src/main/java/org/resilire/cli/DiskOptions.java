package org.resilire.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.resilire.disk.DiskConfig;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** The guest's disks on this host. */
final class DiskOptions {

    @Option(
            names = "--disk",
            paramLabel = "NAME=IMAGE",
            split = ConfigurationFile.LIST_SEPARATOR,
            description =
                    "A disk of the guest: a raw image file or block device, which this agent serves to QEMU over NBD at the"
                            + " socket NAME.nbd. Can be given several times; the same names in the same order on both hosts.")
    List<String> disks = List.of();

    @Option(
            names = "--disk-socket-dir",
            paramLabel = "DIR",
            description = "Where the sockets of the disks are. Default: VM.disks in --run-dir.")
    Path socketDirectory;

    List<DiskConfig> disks(final CommonOptions common, final CommandSpec spec) {
        final Path directory = socketDirectory == null ? common.runDir.resolve(common.vm + ".disks") : socketDirectory;
        final List<DiskConfig> found = new ArrayList<>();
        final Set<String> names = new HashSet<>();
        final Set<Path> images = new HashSet<>();
        for (final String text : disks) {
            final DiskConfig disk = parse(text, directory, spec);
            if (!names.add(disk.name())) {
                throw new ParameterException(spec.commandLine(), "two --disk are named '" + disk.name() + "'");
            }
            if (!images.add(disk.image().toAbsolutePath().normalize())) {
                throw new ParameterException(spec.commandLine(), "two --disk use the image " + disk.image());
            }
            found.add(disk);
        }
        if (found.size() > DiskConfig.MAX_DISKS) {
            throw new ParameterException(
                    spec.commandLine(), "a guest can have " + DiskConfig.MAX_DISKS + " disks, not " + found.size());
        }
        return List.copyOf(found);
    }

    private static DiskConfig parse(final String text, final Path directory, final CommandSpec spec) {
        try {
            return DiskConfig.parse(text, directory);
        } catch (final IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--disk: " + e.getMessage(), e);
        }
    }
}
