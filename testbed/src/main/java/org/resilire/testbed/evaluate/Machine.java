package org.resilire.testbed.evaluate;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.resilire.testbed.TestbedException;

/** What a figure depends on besides the code. */
final class Machine {

    private static final Pattern MODEL = Pattern.compile("(?m)^model name\\s*: (.*)$");
    private static final Pattern FLAGS = Pattern.compile("(?m)^flags\\s*: (.*)$");
    private static final Pattern MEMORY = Pattern.compile("(?m)^MemTotal:\\s*(\\d+) kB$");

    /** Free, or taken by nothing but copies of files on disk. */
    private static final Pattern AVAILABLE = Pattern.compile("(?m)^MemAvailable:\\s*(\\d+) kB$");

    private Machine() {}

    /** Memory that programs could have now. */
    static long availableMiB() {
        return mebibytes(AVAILABLE);
    }

    private static long mebibytes(final Pattern line) {
        final String kibibytes = first(line, read("/proc/meminfo"));
        if (kibibytes.isEmpty()) {
            throw new TestbedException("/proc/meminfo does not tell this machine's memory");
        }
        return Long.parseLong(kibibytes) >> 10;
    }

    static Map<String, String> facts() {
        final Map<String, String> facts = new LinkedHashMap<>();
        final String cpus = read("/proc/cpuinfo");
        facts.put("processor", first(MODEL, cpus));
        facts.put("processors", Integer.toString(Runtime.getRuntime().availableProcessors()));
        final List<String> flags = List.of(first(FLAGS, cpus).split(" ", -1));
        facts.put(
                "simd",
                flags.contains("avx512f") ? "AVX-512" : flags.contains("avx2") ? "AVX2" : "neither AVX2 nor AVX-512");
        facts.put("memoryMiB", Long.toString(mebibytes(MEMORY)));
        facts.put("kernel", System.getProperty("os.version"));
        facts.put("java", System.getProperty("java.vm.name") + " " + Runtime.version());
        facts.put("qemu", firstLine("qemu-system-x86_64", "--version"));
        facts.put("guest", "emulated (TCG), 1 vCPU; both hosts and the client on this machine");
        facts.put(
                "resilire", firstLine("git", "-C", System.getenv("RESILIRE_HOME"), "describe", "--always", "--dirty"));
        return facts;
    }

    private static String first(final Pattern pattern, final String text) {
        final Matcher matcher = pattern.matcher(text);
        return matcher.find() ? matcher.group(1) : "";
    }

    private static String read(final String path) {
        try {
            return Files.readString(Path.of(path));
        } catch (final IOException unreadable) {
            return "";
        }
    }

    /** Empty if the program does not answer: facts are worth having, not worth failing for. */
    private static String firstLine(final String... command) {
        try {
            final Process process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            final String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            final Optional<String> line = output.lines().findFirst();
            return process.waitFor() == 0 ? line.orElse("") : "";
        } catch (final IOException missing) {
            return "";
        } catch (final InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return "";
        }
    }
}
