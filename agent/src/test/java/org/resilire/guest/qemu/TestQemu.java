package org.resilire.guest.qemu;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.resilire.linux.DetachedProcess;
import org.resilire.linux.Errno;
import org.resilire.linux.LinuxException;
import org.resilire.linux.PidFd;
import tools.jackson.databind.JsonNode;

/**
 * A real QEMU with a few MiB of RAM and a guest of 208 bytes instead of an operating system: every vCPU writes random words
 * over 2 MiB of memory for ever, some thousands a second. Everything it leaves behind is removed on {@link #close()} and at
 * the end of the JVM.
 *
 * <pre>
 * # as --32; loaded with -bios, so it is what the reset vector (the last 16 bytes) jumps to in segment 0xF000
 *         .code16
 * start:  cli ; lgdtl %cs:gdtr ; mov %cr0,%eax ; or $1,%al ; mov %eax,%cr0 ; ljmpl $8,$0xF0000+bsp32
 *         .code32
 * bsp32:  mov $16,%ax ; mov %ax,%ds ; mov %ax,%es ; mov %ax,%ss
 *         mov $0xF0000+tramp,%esi ; mov $0x8000,%edi ; mov $tramp_end-tramp,%ecx ; cld ; rep movsb
 *         mov $0xFEE00300,%ebx ; mov $0xFEE000F0,%edx ; orl $0x100,(%edx)      # local APIC on
 *         movl $0xC4500,(%ebx) ; mov $200000,%ecx ; 1: loop 1b                 # INIT to the others
 *         movl $0xC4608,(%ebx) ; mov $1,%esi ; jmp work                        # SIPI: start at 0x8000
 * ap32:   mov $16,%ax ; mov %ax,%ds ; mov $0x12345,%esi
 * work:   imul $1664525,%esi,%esi ; add $1013904223,%esi                       # linear congruence
 *         mov %esi,%eax ; shr $8,%eax ; and $0x1FFFFC,%eax ; add $0x400000,%eax
 *         mov %esi,(%eax) ; mov $4000,%ecx ; 2: loop 2b ; jmp work
 *         .code16
 * tramp:  cli ; lgdtl %cs:gdtr2-tramp ; (protected mode as above) ; ljmpl $8,$0xF0000+ap32
 * gdtr2, gdtr, gdt: null, flat code, flat data
 * </pre>
 */
public final class TestQemu implements AutoCloseable {

    private static final String FIRMWARE = """
            fa2e660f0116ad000f20c00c010f22c066ea18000f00080066b810008ed8
            8ec08ed0be8f000f00bf00800000b91e000000fcf3a4bb0003e0febaf000
            e0fe810a00010000c70300450c00b9400d0300e2fec70308460c00be0100
            0000eb0b66b810008ed8be4523010069f60d66190081c65ff36e3c89f0c1
            e80825fcff1f0005000040008930b9a00f0000e2feebdafa2e660f011618
            000f20c00c010f22c066ea5e000f0008001700b8000f001700b8000f008d
            b4000090
            """;

    private static final AtomicInteger COUNTER = new AtomicInteger();
    private static final long START_NANOS = TimeUnit.SECONDS.toNanos(20);

    private final Path directory;
    private final Path ramFile;
    private final List<String> command;
    private final Thread cleaner = new Thread(this::cleanUp, "test-qemu-cleaner");
    private PidFd process;

    /** What the guest looks like. */
    public record Options(int ramMebibytes, int cpus, boolean isShared, List<String> more) {

        public Options() {
            this(16, 1, true, List.of());
        }

        public Options withCpus(final int count) {
            return new Options(ramMebibytes, count, isShared, more);
        }

        public Options withPrivateRam() {
            return new Options(ramMebibytes, cpus, false, more);
        }

        public Options with(final String... arguments) {
            final List<String> all = new ArrayList<>(more);
            all.addAll(List.of(arguments));
            return new Options(ramMebibytes, cpus, isShared, all);
        }
    }

    private TestQemu(final Options options, final Path ram) {
        final String name = "resilire-test-" + ProcessHandle.current().pid() + "-" + COUNTER.incrementAndGet();
        ramFile = ram == null ? Path.of("/dev/shm", name + ".ram") : ram;
        try {
            directory = Files.createTempDirectory(name);
            Files.write(directory.resolve("firmware"), firmware());
        } catch (final IOException e) {
            throw new UncheckedIOException(e);
        }
        command = commandLine(options, ramFile, directory);
    }

    /** A writing guest that runs. */
    public static TestQemu start(final Options options) {
        return start(new TestQemu(options, null));
    }

    /** A second QEMU over the same RAM file. */
    static TestQemu startOver(final TestQemu other) {
        return start(new TestQemu(new Options(), other.ramFile));
    }

    private static TestQemu start(final TestQemu qemu) {
        Runtime.getRuntime().addShutdownHook(qemu.cleaner);
        try {
            qemu.launch();
            return qemu;
        } catch (final IOException | RuntimeException e) {
            qemu.close();
            throw new IllegalStateException("cannot start qemu-system-x86_64 (is it installed?): " + e.getMessage(), e);
        }
    }

    public static TestQemu start() {
        return start(new Options());
    }

    private void launch() throws IOException {
        final List<String> withQmp = new ArrayList<>(command);
        withQmp.addAll(List.of("-qmp", "unix:" + qmpSocket() + ",server=on,wait=off"));
        final Path log = directory.resolve("log");
        // Detached: the JVM would take a ptrace stop of its own child for the child's end.
        process = PidFd.open(DetachedProcess.start(withQmp, log));
        final long deadline = System.nanoTime() + START_NANOS;
        while (true) {
            try {
                QmpConnection.open(qmpSocket(), START_NANOS).close();
                return;
            } catch (final QmpException e) {
                if (process.hasExited() || System.nanoTime() > deadline) {
                    throw new IllegalStateException(Files.readString(log), e);
                }
                Thread.onSpinWait();
            }
        }
    }

    /** The program at the start of 64 KiB, a jump to it at the reset vector. */
    static byte[] firmware() {
        final byte[] firmware = new byte[64 * 1024];
        final byte[] program = HexFormat.of().parseHex(FIRMWARE.replaceAll("\\s", ""));
        System.arraycopy(program, 0, firmware, 0, program.length);
        final byte[] descriptors = HexFormat.of().parseHex("ffff0000009acf00ffff00000092cf00");
        System.arraycopy(descriptors, 0, firmware, 0xc0, descriptors.length);
        final byte[] resetVector = HexFormat.of().parseHex("ea000000f0");
        System.arraycopy(resetVector, 0, firmware, 0xfff0, resetVector.length);
        return firmware;
    }

    private static List<String> commandLine(final Options options, final Path ramFile, final Path directory) {
        final List<String> command = new ArrayList<>(List.of(
                "qemu-system-x86_64",
                "-machine",
                "q35,accel=tcg,memory-backend=ram0",
                "-object",
                "memory-backend-file,id=ram0,size=" + options.ramMebibytes() + "M,mem-path=" + ramFile + ",share="
                        + (options.isShared() ? "on" : "off"),
                "-smp",
                Integer.toString(options.cpus()),
                "-bios",
                directory.resolve("firmware").toString(),
                "-nodefaults",
                "-display",
                "none"));
        command.addAll(options.more());
        return command;
    }

    /** The command line without QMP, for another RAM file: what a standby of this guest is started with. */
    public List<String> commandFor(final Path replica) {
        return command.stream()
                .map(argument -> argument.replace(ramFile.toString(), replica.toString()))
                .toList();
    }

    public QemuGuestConfig config() {
        return new QemuGuestConfig(qmpSocket(), ramFile, directory.resolve("state"));
    }

    public Path qmpSocket() {
        return directory.resolve("qmp.sock");
    }

    public Path ramFile() {
        return ramFile;
    }

    public Path directory() {
        return directory;
    }

    public long pid() {
        return process.pid();
    }

    /** Runs one command over a connection of its own; nobody else may be connected. */
    public JsonNode execute(final String qmpCommand, final Map<String, ?> arguments) {
        try (QmpConnection qmp = QmpConnection.open(qmpSocket(), START_NANOS)) {
            return qmp.execute(qmpCommand, arguments, START_NANOS);
        }
    }

    public void kill() {
        try {
            process.kill();
        } catch (final LinuxException e) {
            if (e.errno() != Errno.ESRCH) {
                throw e;
            }
        }
        process.awaitExit(START_NANOS);
    }

    @Override
    public void close() {
        Runtime.getRuntime().removeShutdownHook(cleaner);
        cleanUp();
    }

    private void cleanUp() {
        if (process != null) {
            kill();
            process.close();
        }
        try {
            Files.deleteIfExists(ramFile);
            try (var files = Files.walk(directory)) {
                files.sorted(Comparator.reverseOrder()).forEach(TestQemu::delete);
            }
        } catch (final IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void delete(final Path path) {
        try {
            Files.delete(path);
        } catch (final IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
