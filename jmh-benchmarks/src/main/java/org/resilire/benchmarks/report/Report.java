package org.resilire.benchmarks.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.resilire.benchmarks.Against;

/** The measurements of a run as tables, each beside its yardsticks of the same run. */
final class Report {

    private static final double LEAST_ALLOCATION_BYTES = 0.05;

    private final List<Measurement> measurements;

    Report(final List<Measurement> measurements) {
        this.measurements = List.copyOf(measurements);
    }

    String render() {
        final StringBuilder text = new StringBuilder();
        for (final BenchmarkGroup group : BenchmarkGroup.values()) {
            final Table table = new Table(2, "benchmark", "with", "ns/op", "±", "speed against yardsticks", "B/op", "");
            boolean any = false;
            for (final Measurement measurement : measurements) {
                if (group.classes().stream().anyMatch(type -> type.getName().equals(measurement.type()))) {
                    table.add(row(measurement));
                    any = true;
                }
            }
            if (any) {
                text.append('\n')
                        .append(group.title())
                        .append(" (")
                        .append(group.label())
                        .append(")\n");
                text.append(table.render());
            }
        }
        return text.toString();
    }

    private List<String> row(final Measurement measurement) {
        return List.of(
                simpleName(measurement),
                parameters(measurement),
                nanos(measurement.nanos()),
                measurement.errorNanos().isPresent()
                        ? percent(measurement.errorNanos().getAsDouble() / measurement.nanos())
                        : "",
                ratios(measurement),
                allocated(measurement.allocatedBytes()),
                new TreeMap<>(measurement.counters())
                        .entrySet().stream()
                                .map(counter ->
                                        String.format(Locale.ROOT, "%s %.3g", counter.getKey(), counter.getValue()))
                                .collect(Collectors.joining(", ")));
    }

    private static String simpleName(final Measurement measurement) {
        final String type = measurement.type();
        return type.substring(type.lastIndexOf('.') + 1).replaceFirst("Benchmark$", "") + "." + measurement.method();
    }

    private static String parameters(final Measurement measurement) {
        return new TreeMap<>(measurement.parameters())
                .entrySet().stream()
                        .map(parameter -> parameter.getKey() + "=" + parameter.getValue())
                        .collect(Collectors.joining(" "))
                        .toLowerCase(Locale.ROOT);
    }

    private static String nanos(final double nanos) {
        return String.format(Locale.ROOT, nanos < 100 ? "%.1f" : "%,.0f", nanos);
    }

    private static String percent(final double share) {
        return String.format(Locale.ROOT, "%.0f %%", 100 * share);
    }

    private static String allocated(final OptionalDouble bytes) {
        if (bytes.isEmpty()) {
            return "?";
        }
        return bytes.getAsDouble() < LEAST_ALLOCATION_BYTES
                ? "0"
                : String.format(Locale.ROOT, "%.1f", bytes.getAsDouble());
    }

    private String ratios(final Measurement measurement) {
        final List<String> ratios = new ArrayList<>();
        for (final String yardstick : yardsticks(measurement)) {
            measurements.stream()
                    .filter(other -> other.isYardstick(measurement, yardstick))
                    .findFirst()
                    .ifPresent(bound -> ratios.add(
                            String.format(Locale.ROOT, "%.2f %s", bound.nanos() / measurement.nanos(), yardstick)));
        }
        return String.join(", ", ratios);
    }

    private static List<String> yardsticks(final Measurement measurement) {
        try {
            final Class<?> type = Class.forName(measurement.type());
            return Arrays.stream(type.getDeclaredMethods())
                    .filter(method -> method.getName().equals(measurement.method()))
                    .map(method -> method.getAnnotation(Against.class))
                    .filter(against -> against != null)
                    .flatMap(against -> Arrays.stream(against.value()))
                    .toList();
        } catch (final ClassNotFoundException e) {
            // A result file of another version: its times can still be shown.
            return List.of();
        }
    }
}
