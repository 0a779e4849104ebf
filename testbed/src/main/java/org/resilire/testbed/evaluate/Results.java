package org.resilire.testbed.evaluate;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.resilire.testbed.TestbedException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * Every sample that was taken, in a file that is whole at any time: written anew and renamed after each point. What is in it is not
 * measured again, so that an evaluation that was cut off goes on where it was. One thread.
 */
final class Results {

    private static final int FORMAT = 1;

    private static final JsonMapper JSON = JsonMapper.builder()
            .disable(MapperFeature.SORT_PROPERTIES_ALPHABETICALLY)
            .disable(MapperFeature.SORT_CREATOR_PROPERTIES_FIRST)
            .enable(SerializationFeature.INDENT_OUTPUT)
            .build();

    /**
     * A run of {@code testbed/run evaluate} that added samples.
     *
     * @param machine facts by name
     */
    record Run(Instant startedAt, Map<String, String> machine) {}

    /** A point that could not be measured, and why. */
    record Failure(Point point, Instant at, String message) {}

    /** The file. */
    private record Document(
            int format, String settings, List<Run> runs, List<Failure> failures, List<Sample> samples) {}

    private final Path file;
    private final String settings;
    private final List<Run> runs;
    private final List<Failure> failures;
    private final Map<Point, List<Sample>> samples = new LinkedHashMap<>();

    private Results(final Path file, final Document document) {
        this.file = file;
        settings = document.settings();
        runs = new ArrayList<>(document.runs());
        failures = new ArrayList<>(document.failures());
        document.samples()
                .forEach(sample -> samples.computeIfAbsent(sample.point(), point -> new ArrayList<>())
                        .add(sample));
    }

    /**
     * Opens the results of a directory, or starts them.
     *
     * @throws TestbedException if they were measured in another way, or the directory cannot be written
     */
    static Results open(final Path directory, final String settings) {
        final Path file = directory.resolve("results.json");
        try {
            Files.createDirectories(directory);
            if (!Files.exists(file)) {
                return new Results(file, new Document(FORMAT, settings, List.of(), List.of(), List.of()));
            }
            final Document document = JSON.readValue(Files.readAllBytes(file), Document.class);
            if (document.format() != FORMAT || !settings.equals(document.settings())) {
                throw new TestbedException(
                        file + " was measured with other settings (" + document.settings() + "): give another --out");
            }
            return new Results(file, document);
        } catch (final JacksonException malformed) {
            throw new TestbedException(file + " holds no results: give another --out", malformed);
        } catch (final IOException failure) {
            throw new TestbedException("cannot use " + directory + ": " + failure.getMessage(), failure);
        }
    }

    void begin(final Run run) {
        runs.add(run);
    }

    boolean has(final Point point) {
        return samples.containsKey(point);
    }

    /** Adds all samples of points that belong together, or none. */
    void add(final List<Sample> taken) {
        taken.forEach(sample -> samples.computeIfAbsent(sample.point(), point -> new ArrayList<>())
                .add(sample));
        failures.removeIf(failure -> has(failure.point()));
        save();
    }

    void addFailure(final Point point, final String message) {
        failures.removeIf(failure -> failure.point().equals(point));
        failures.add(new Failure(point, Instant.now(), message));
        save();
    }

    private void save() {
        final List<Sample> all = samples.values().stream().flatMap(List::stream).toList();
        final Path unfinished = file.resolveSibling(file.getFileName() + ".new");
        try {
            Files.writeString(
                    unfinished, JSON.writeValueAsString(new Document(FORMAT, settings, runs, failures, all)) + "\n");
            Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (final IOException failure) {
            throw new TestbedException("cannot write " + file + ": " + failure.getMessage(), failure);
        }
    }

    /** Of one experiment, in the order in which they were measured. */
    Map<Point, List<Sample>> of(final String experiment) {
        final Map<Point, List<Sample>> found = new LinkedHashMap<>();
        samples.forEach((point, taken) -> {
            if (point.experiment().equals(experiment)) {
                found.put(point, List.copyOf(taken));
            }
        });
        return found;
    }

    String settings() {
        return settings;
    }

    List<Run> runs() {
        return List.copyOf(runs);
    }

    List<Failure> failures() {
        return List.copyOf(failures);
    }
}
