package org.resilire.benchmarks.yardstick;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Compiles the yardsticks that are written in C, where there is a compiler. */
public final class CCompiler {

    private static final List<String> NAMES = List.of("gcc", "cc", "clang");
    private static final List<String> FLAGS = List.of("-O3", "-shared", "-fPIC", "-Wall", "-Werror");
    private static final int LONGEST_SECONDS = 60;

    private CCompiler() {}

    /** Why the C yardsticks cannot run here, in one line; empty if they can. */
    public static Optional<String> problem() {
        if (!System.getProperty("os.arch").equals("amd64")) {
            return Optional.of("the C yardsticks are written for x86-64, and this is " + System.getProperty("os.arch"));
        }
        if (find().isEmpty()) {
            return Optional.of("no C compiler (" + String.join(", ", NAMES) + ") on the PATH");
        }
        if (!CKernels.hasAvx512() || !CKernels.hasAvx2()) {
            return Optional.of("this CPU lacks " + (CKernels.hasAvx2() ? "AVX-512" : "AVX2"));
        }
        return Optional.empty();
    }

    private static Optional<Path> find() {
        final String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
        return NAMES.stream()
                .flatMap(name -> Stream.of(path.split(File.pathSeparator)).map(directory -> Path.of(directory, name)))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /**
     * Compiles a source that stands beside this class and loads it.
     *
     * @throws IllegalStateException if there is no compiler or it refuses, with what it said
     */
    @SuppressWarnings("restricted")
    static SymbolLookup load(final String source, final Arena arena) {
        final Path compiler = find().orElseThrow(() -> new IllegalStateException("there is no C compiler"));
        try {
            final Path directory = Files.createTempDirectory("resilire-yardstick-");
            final Path from = directory.resolve(source);
            final Path library = directory.resolve("yardstick.so");
            try (InputStream text = CCompiler.class.getResourceAsStream(source)) {
                Files.copy(text, from);
                run(Stream.of(List.of(compiler.toString()), FLAGS, List.of("-o", library.toString(), from.toString()))
                        .flatMap(List::stream)
                        .toList());
                return SymbolLookup.libraryLookup(library, arena);
            } finally {
                // What is mapped stays usable without its name.
                Files.deleteIfExists(library);
                Files.deleteIfExists(from);
                Files.delete(directory);
            }
        } catch (final IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void run(final List<String> command) throws IOException {
        final Process process =
                new ProcessBuilder(command).redirectErrorStream(true).start();
        final String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (!process.waitFor(LONGEST_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IllegalStateException(command.getFirst() + " did not end");
            }
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while compiling", e);
        }
        if (process.exitValue() != 0) {
            throw new IllegalStateException(String.join(" ", command) + " failed: " + said);
        }
    }
}
