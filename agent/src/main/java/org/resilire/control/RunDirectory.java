package org.resilire.control;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Where one agent keeps what it shares with the processes of its host: {@code BASE/VM.ROLE/}. Everybody may name it and look
 * into it; the agent {@linkplain #claim() claims} it. Files of other processes in it, such as QEMU's sockets, are left alone.
 */
public final class RunDirectory {

    /** Unless {@code --run-dir} names another. */
    public static final Path DEFAULT_BASE = Path.of("/run/resilire");

    private static final Pattern VM_NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

    /** {@code sun_path} of {@code sys/un.h}, without its final 0. */
    private static final int MAX_SOCKET_PATH_BYTES = 107;

    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rwx------");

    private static final Path MEMORY = Path.of("/dev/shm");

    private final String vmName;
    private final AgentRole role;
    private final Path path;

    private RunDirectory(final Path base, final String vmName, final AgentRole role) {
        this.vmName = vmName;
        this.role = role;
        path = base.resolve(vmName + "." + role.label());
    }

    /** {@code /run/resilire/VM.ROLE}; see {@link #under}. */
    public static RunDirectory of(final String vmName, final AgentRole role) {
        return under(DEFAULT_BASE, vmName, role);
    }

    /**
     * {@code BASE/VM.ROLE}, whether it exists or not.
     *
     * @throws IllegalArgumentException if the name is not fit for a file, or the path too long for a socket
     */
    public static RunDirectory under(final Path base, final String vmName, final AgentRole role) {
        if (!VM_NAME.matcher(vmName).matches()) {
            throw new IllegalArgumentException(
                    "\"" + vmName + "\" cannot name a VM: use at most 64 of letters, digits, "
                            + "'.', '_' and '-', a letter or digit first");
        }
        final RunDirectory directory = new RunDirectory(base.toAbsolutePath().normalize(), vmName, role);
        final int socketPathBytes = directory.controlSocket().toString().getBytes(StandardCharsets.UTF_8).length;
        if (socketPathBytes > MAX_SOCKET_PATH_BYTES) {
            throw new IllegalArgumentException("the path " + directory.controlSocket() + " has " + socketPathBytes
                    + " bytes, sockets allow " + MAX_SOCKET_PATH_BYTES + ": use a shorter --run-dir");
        }
        return directory;
    }

    /** All run directories under {@code base}, by name; of agents that run and of such as did. */
    public static List<RunDirectory> list(final Path base) throws IOException {
        final List<RunDirectory> found = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(base, Files::isDirectory)) {
            for (final Path entry : entries) {
                parse(base, entry.getFileName().toString()).ifPresent(found::add);
            }
        } catch (final NoSuchFileException none) {
            return found;
        }
        found.sort(Comparator.comparing(RunDirectory::path));
        return found;
    }

    private static Optional<RunDirectory> parse(final Path base, final String name) {
        for (final AgentRole role : AgentRole.values()) {
            final String suffix = "." + role.label();
            if (name.endsWith(suffix)) {
                final String vmName = name.substring(0, name.length() - suffix.length());
                return VM_NAME.matcher(vmName).matches()
                        ? Optional.of(new RunDirectory(base.toAbsolutePath().normalize(), vmName, role))
                        : Optional.empty();
            }
        }
        return Optional.empty();
    }

    /**
     * Makes the directory this process's own, until the claim is closed or the process dies. Removes what a dead agent left,
     * except its counters, which {@link AgentCounters#create} replaces: they tell whether it had paused the guest.
     *
     * @throws AgentAlreadyRunsException if an agent that lives has claimed it
     */
    public Claim claim() throws IOException {
        createForOwnerOnly(path);
        final FileChannel channel = FileChannel.open(
                lockFile(), StandardOpenOption.CREATE, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
        try {
            if (!tryLock(channel)) {
                throw new AgentAlreadyRunsException(this, liveAgent());
            }
            Files.deleteIfExists(controlSocket());
            writePidFile();
            return new Claim(channel);
        } catch (final IOException | RuntimeException failure) {
            channel.close();
            throw failure;
        }
    }

    /** Also where everybody may write, and somebody may have been there before. */
    private static void createForOwnerOnly(final Path directory) throws IOException {
        if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
            Files.createDirectories(directory.getParent());
            Files.createDirectory(directory, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
        }
        final Object owner = userOf(directory);
        final Object self = ownUser();
        if (!owner.equals(self)) {
            throw new FileSystemException(
                    directory.toString(), null, "belongs to user " + owner + ", the agent runs as user " + self);
        }
        Files.setPosixFilePermissions(directory, OWNER_ONLY);
    }

    private static Object userOf(final Path file) throws IOException {
        return Files.getAttribute(file, "unix:uid", LinkOption.NOFOLLOW_LINKS);
    }

    private static Object ownUser() throws IOException {
        return userBehind(Path.of("/proc/self"));
    }

    /** Of what a link leads to: {@code /proc/self} itself is root's, whoever looks. */
    static Object userBehind(final Path link) throws IOException {
        return Files.getAttribute(link, "unix:uid");
    }

    /** The kernel drops the lock when the process dies, however it dies: no check of process ids is as sure. */
    private static boolean tryLock(final FileChannel channel) throws IOException {
        try {
            final FileLock lock = channel.tryLock();
            return lock != null;
        } catch (final OverlappingFileLockException heldByThisProcess) {
            return false;
        }
    }

    private void writePidFile() throws IOException {
        final Path unfinished = path.resolve("agent.pid.new");
        Files.writeString(unfinished, ProcessIdentity.ofSelf().toLine());
        Files.move(unfinished, pidFile(), StandardCopyOption.ATOMIC_MOVE);
    }

    /** The agent that has claimed this directory, if it lives. */
    public Optional<ProcessIdentity> liveAgent() {
        try {
            return ProcessIdentity.parse(Files.readString(pidFile())).filter(ProcessIdentity::isAlive);
        } catch (final IOException none) {
            return Optional.empty();
        }
    }

    public String vmName() {
        return vmName;
    }

    public AgentRole role() {
        return role;
    }

    public Path path() {
        return path;
    }

    public Path countersFile() {
        return path.resolve("counters");
    }

    /** Where {@link Claim#memoryDirectory} is: its name tells which run directory it belongs to. */
    Path memoryPath() {
        return MEMORY.resolve("resilire-" + path.getFileName() + "-"
                + Integer.toHexString(path.toString().hashCode()));
    }

    public Path controlSocket() {
        return path.resolve("control.sock");
    }

    public Path pidFile() {
        return path.resolve("agent.pid");
    }

    private Path lockFile() {
        return path.resolve("lock");
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%s of VM %s in %s", role.label(), vmName, path);
    }

    /** A run directory in use. */
    public final class Claim implements AutoCloseable {

        private final FileChannel lock;
        private boolean usesMemory;

        private Claim(final FileChannel lock) {
            this.lock = lock;
        }

        public RunDirectory directory() {
            return RunDirectory.this;
        }

        /**
         * A directory in memory for what is written at every checkpoint and may be lost with the host; for its owner only, since
         * the guest's memory passes through it. Made if it is not there, and removed with the claim if nothing is left in it.
         */
        public Path memoryDirectory() throws IOException {
            final Path directory = memoryPath();
            usesMemory = true;
            createForOwnerOnly(directory);
            return directory;
        }

        /** Lets the next agent have the directory. The counters stay, to say how it ended. */
        @Override
        public void close() throws IOException {
            if (lock.isOpen()) {
                // The lock last: what the next agent makes is its own.
                try (lock) {
                    Files.deleteIfExists(pidFile());
                    removeMemoryDirectory();
                }
            }
        }

        private void removeMemoryDirectory() throws IOException {
            final Path directory = memoryPath();
            if (usesMemory
                    && Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)
                    && userOf(directory).equals(ownUser())) {
                try {
                    Files.deleteIfExists(directory);
                } catch (final DirectoryNotEmptyException somethingIsLeft) {
                    // Whoever left it may want it.
                    return;
                }
            }
        }
    }
}
