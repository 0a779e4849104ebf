package org.resilire.guest.qemu;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.resilire.guest.AttachException;
import org.resilire.guest.AttachProblem;
import org.resilire.guest.tracking.RamMapping;
import org.resilire.linux.LinuxException;
import org.resilire.linux.MemoryMaps;
import org.resilire.linux.MemoryMaps.Mapping;

/** Finds the QEMU process that has a guest's RAM file mapped, by device and inode over {@code /proc/PID/maps}. */
final class RamFileOwner {

    private static final Path PROC = Path.of("/proc");
    private static final String DELETED = " (deleted)";

    private final Path ramFile;
    private final long inode;
    private final String device;
    private final List<Found> found = new ArrayList<>();
    private int unreadable;

    private record Found(long pid, List<Mapping> mappings) {}

    private RamFileOwner(final Path ramFile) {
        this.ramFile = ramFile;
        try {
            inode = ((Number) Files.getAttribute(ramFile, "unix:ino")).longValue();
            device = deviceName(((Number) Files.getAttribute(ramFile, "unix:dev")).longValue());
        } catch (final IOException e) {
            throw new AttachException(
                    AttachProblem.RAM_FILE_MISSING,
                    "no RAM file at " + ramFile + ": give the mem-path of the guest's memory-backend-file",
                    e);
        }
    }

    /**
     * Looks through all processes but this one.
     *
     * @throws AttachException unless exactly one maps the file, shared
     */
    static RamMapping find(final Path ramFile) {
        final RamFileOwner search = new RamFileOwner(ramFile);
        search.lookThroughProcesses();
        return search.conclude();
    }

    private void lookThroughProcesses() {
        final long self = ProcessHandle.current().pid();
        try (var directory = Files.newDirectoryStream(PROC, "[0-9]*")) {
            for (final Path process : directory) {
                final long pid = Long.parseLong(process.getFileName().toString());
                if (pid != self) {
                    look(pid);
                }
            }
        } catch (final IOException e) {
            throw new UncheckedIOException("cannot list " + PROC, e);
        }
    }

    private void look(final long pid) {
        final List<Mapping> mappings;
        try {
            mappings = MemoryMaps.of(pid).stream().filter(this::isOfRamFile).toList();
        } catch (final LinuxException e) {
            // Processes end while one looks, and others' are not ours to read.
            if (Files.exists(PROC.resolve(Long.toString(pid)))) {
                unreadable++;
            }
            return;
        }
        if (!mappings.isEmpty()) {
            found.add(new Found(pid, mappings));
        }
    }

    private boolean isOfRamFile(final Mapping mapping) {
        // Some file systems (btrfs, overlayfs) show another device in maps than in stat: there the path decides.
        return mapping.inode() == inode
                && (mapping.device().equals(device)
                        || withoutDeleted(mapping.path()).equals(ramFile.toString()));
    }

    private static String withoutDeleted(final String path) {
        return path.endsWith(DELETED) ? path.substring(0, path.length() - DELETED.length()) : path;
    }

    private RamMapping conclude() {
        if (found.isEmpty()) {
            final String hint = unreadable == 0
                    ? "is its QEMU running?"
                    : unreadable + " processes could not be read: run as QEMU's user or with CAP_SYS_PTRACE";
            throw new AttachException(
                    AttachProblem.RAM_NOT_MAPPED, "no process maps the RAM file " + ramFile + ": " + hint);
        }
        if (found.size() > 1) {
            throw new AttachException(
                    AttachProblem.RAM_MAPPED_BY_SEVERAL,
                    "processes " + found.stream().map(Found::pid).toList() + " all map the RAM file " + ramFile
                            + ": only its QEMU may (writes of another, such as a vhost-user back end, would be missed)");
        }
        final Found owner = found.get(0);
        if (!owner.mappings().stream().allMatch(Mapping::isShared)) {
            throw new AttachException(
                    AttachProblem.RAM_NOT_SHARED,
                    "process " + owner.pid() + " maps the RAM file " + ramFile
                            + " privately: add share=on to its -object memory-backend-file");
        }
        return RamMapping.of(owner.pid(), owner.mappings());
    }

    /** As {@code /proc/PID/maps} writes it: major and minor number of a {@code dev_t}, {@code sys/sysmacros.h}. */
    static String deviceName(final long dev) {
        final long major = ((dev >>> 8) & 0xfff) | ((dev >>> 32) & ~0xfffL);
        final long minor = (dev & 0xff) | ((dev >>> 12) & ~0xffL & 0xffffffffL);
        return String.format("%02x:%02x", major, minor);
    }
}
