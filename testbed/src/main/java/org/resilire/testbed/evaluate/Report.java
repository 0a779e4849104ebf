package org.resilire.testbed.evaluate;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.resilire.testbed.TestbedException;

/** {@code report.html}: what was measured, beside what the papers claim. */
final class Report {

    private static final double MIB = 1 << 20;
    private static final double KIB = 1 << 10;

    private final Results results;
    private final ModeFigures modes;
    private final Html html = new Html();

    private Report(final Results results) {
        this.results = results;
        modes = new ModeFigures(results);
    }

    static Path write(final Path directory, final Results results) {
        final Path file = directory.resolve("report.html");
        try {
            Files.writeString(file, new Report(results).page());
            return file;
        } catch (final IOException failure) {
            throw new TestbedException("cannot write " + file + ": " + failure.getMessage(), failure);
        }
    }

    private String page() {
        html.heading(1, "Resilire: figures");
        introduction();
        html.heading(2, "Beside the papers");
        html.note(
                "[R]: read in a stored source. [M]: remembered from the literature, not checked. Their testbed was two hosts"
                        + " with Xen and 1 Gbit/s between them; ratios compare, absolute figures do not.");
        html.textTable(List.of("claim", "measured here"), PaperClaims.rows(modes, results));
        modesSection();
        pauseSection();
        overheadSection();
        sizeSection();
        syntheticSection();
        migrationSection();
        DelaySection.write(html, results);
        TrialSection.write(html, results);
        ReplaySection.write(html, results);
        DiskSection.write(html, results);
        failures();
        return html.page("Resilire: figures");
    }

    private void introduction() {
        html.paragraph(
                "Each figure is the mean of its samples ± their standard deviation; a sample is a window of time. "
                        + results.settings() + ". All samples are in results.json.");
        html.paragraph(
                "The pause (type II downtime) is from asking the guest to stop until it has confirmed that it runs again."
                        + " The floor is the same guest's stop, device state and cont alone, measured by the test bed just before (where the pause is"
                        + " plotted against dirty pages: just before and just after)."
                        + " The longest pause is that of a window, of some 25 pauses at 20 ms and as few as 2 at 200: too few for a 99th percentile."
                        + " Commit is from the same instant to the backup's acknowledgement, when output is released. Wire bytes are"
                        + " all that was sent for an epoch, device state and message headers included, those of Aeron and UDP not. Overhead is how much longer the same work takes than"
                        + " just before without protection; workloads with clients are measured through an agent that only passes"
                        + " frames, and their closed loops also wait for output commit.");
        final List<List<String>> rows = new ArrayList<>();
        for (final Results.Run run : results.runs()) {
            run.machine().forEach((name, fact) -> rows.add(List.of(name, fact)));
            rows.add(List.of("started", run.startedAt().toString()));
        }
        html.heading(3, "Machine");
        html.textTable(List.of("", ""), rows.stream().distinct().toList());
    }

    private void modesSection() {
        html.heading(2, "Every workload in every mode");
        final List<Workload> measured = measuredWorkloads();
        html.plot(bars("Wire bytes for a dirty page, part of Remus raw", "part", measured, (workload, mode) -> {
            final double raw =
                    modes.wireBytesPerPage(workload, ProtectionMode.REMUS_RAW).mean();
            final Spread wire = modes.wireBytesPerPage(workload, mode);
            return wire.isEmpty() || Double.isNaN(raw) ? Spread.of() : scaled(wire, 1 / raw);
        }));
        html.plot(
                bars("Pause p50", "ms", measured, (workload, mode) -> modes.spread(workload, mode, "pauseMillisP50")));
        html.plot(bars(
                "Overhead",
                "part of the unprotected time",
                measured,
                (workload, mode) -> workload == Workload.IDLE ? Spread.of() : modes.overhead(workload, mode)));
        for (final Workload workload : measured) {
            html.heading(3, workload.title());
            html.note(workload.description());
            html.table(
                    List.of(
                            "mode",
                            "pause p50 ms",
                            "longest pause ms",
                            "÷ floor p50",
                            "commit p50 ms",
                            "dirty pages",
                            "dirty KiB",
                            "captured KiB",
                            "wire KiB",
                            "÷ Remus raw, page for page",
                            "÷ Remus compressed",
                            "overhead",
                            "latency p50 ms (before)",
                            "shadow MiB",
                            "hashes MiB",
                            "index MiB",
                            "primary CPU ms",
                            "standby CPU ms",
                            "memories"),
                    ProtectionMode.ALL.stream()
                            .filter(mode -> modes.has(workload, mode))
                            .map(mode -> modeRow(workload, mode))
                            .toList());
        }
        html.table(
                List.of("mode", "options of 'resilire protect'"),
                ProtectionMode.ALL.stream()
                        .map(mode -> List.of(mode.title(), String.join(" ", mode.options())))
                        .toList());
        html.note("Pages, bytes and CPU are per epoch. Memory is what the mode holds at most besides the guest's own.");
    }

    private List<String> modeRow(final Workload workload, final ProtectionMode mode) {
        final Spread pause = modes.spread(workload, mode, "pauseMillisP50");
        final Spread overhead = workload == Workload.IDLE ? Spread.of() : modes.overhead(workload, mode);
        final double differing =
                modes.spread(workload, mode, "verifyDifferingPages").max();
        final Spread latency = modes.spread(workload, mode, "latencyMillisP50");
        return List.of(
                mode.title(),
                Html.shown(pause),
                Html.shown(modes.spread(workload, mode, "pauseMillisMax")),
                Html.shown(pause.mean() / modes.mean(workload, mode, "pauseFloorMillisP50")),
                Html.shown(modes.spread(workload, mode, "commitMillisP50")),
                Html.shown(modes.mean(workload, mode, "dirtyPagesPerEpoch")),
                Html.shown(modes.mean(workload, mode, "pageBytesPerEpoch") / KIB),
                Html.shown(modes.mean(workload, mode, "capturedBytesPerEpoch") / KIB),
                Html.shown(scaled(modes.spread(workload, mode, "wireBytesPerEpoch"), 1 / KIB)),
                Html.shown(modes.wireRatio(workload, mode, ProtectionMode.REMUS_RAW)),
                Html.shown(modes.wireRatio(workload, mode, ProtectionMode.REMUS_COMPRESSED)),
                overhead.isEmpty() ? "–" : Html.percent(overhead.mean()) + " ± " + Html.percent(overhead.deviation()),
                latency.isEmpty()
                        ? "–"
                        : Html.shown(latency.mean()) + " ("
                                + Html.shown(
                                        modes.baselineLatency(workload, mode).mean()) + ")",
                Html.shown(modes.mean(workload, mode, "shadowBytes") / MIB),
                Html.shown(modes.mean(workload, mode, "hashBytes") / MIB),
                Html.shown(modes.mean(workload, mode, "indexBytes") / MIB),
                Html.shown(modes.spread(workload, mode, "primaryCpuMillisPerEpoch")),
                Html.shown(modes.spread(workload, mode, "standbyCpuMillisPerEpoch")),
                verdict(differing));
    }

    private static String verdict(final double differingPages) {
        return Double.isNaN(differingPages)
                ? "–"
                : differingPages == 0 ? "equal" : "DIFFER in " + Html.shown(differingPages) + " pages";
    }

    private List<Workload> measuredWorkloads() {
        return List.of(Workload.values()).stream()
                .filter(workload -> ProtectionMode.ALL.stream().anyMatch(mode -> modes.has(workload, mode)))
                .toList();
    }

    /** A figure of a workload in a mode. */
    private interface Figure {
        Spread of(Workload workload, ProtectionMode mode);
    }

    private static String bars(
            final String title, final String unit, final List<Workload> workloads, final Figure figure) {
        final List<Plot.Line> bars = new ArrayList<>();
        for (final ProtectionMode mode : ProtectionMode.ALL) {
            bars.add(new Plot.Line(
                    mode.name(),
                    List.of(),
                    workloads.stream()
                            .map(workload -> figure.of(workload, mode))
                            .toList()));
        }
        return Plot.bars(title, unit, workloads.stream().map(Workload::label).toList(), bars);
    }

    private static Spread scaled(final Spread spread, final double factor) {
        return new Spread(
                spread.count(),
                spread.mean() * factor,
                spread.median() * factor,
                spread.deviation() * factor,
                spread.min() * factor,
                spread.max() * factor);
    }

    private void pauseSection() {
        html.heading(2, "The pause against dirty pages");
        html.note(
                "A real guest whose dirtier changes 64 B in each of so many pages. Aims: at most 1.25 × the floor at 240 pages,"
                        + " 2 × at 2,400.");
        final Map<String, Plot.Line> lines = new TreeMap<>();
        final List<List<String>> rows = new ArrayList<>();
        results.of(PauseExperiment.NAME).forEach((point, samples) -> {
            final Spread pause = Spread.of(samples, "pauseMillisP50");
            final Spread floor = Spread.of(samples, "pauseFloorMillisP50");
            final Spread pages = Spread.of(samples, "dirtyPagesP50");
            lines.computeIfAbsent(point.coordinate("mode"), Plot.Line::new).add(pages.mean(), pause);
            lines.computeIfAbsent("floor", Plot.Line::new).add(pages.mean(), floor);
            rows.add(List.of(
                    point.coordinate("mode"),
                    point.coordinate("wantedPagesPerEpoch"),
                    Html.shown(pages),
                    Html.shown(pause),
                    Html.shown(Spread.of(samples, "pauseMillisMax")),
                    Html.shown(floor.mean()) + " ("
                            + Html.shown(Spread.of(samples, "pauseFloorBeforeMillisP50")
                                    .mean()) + ", "
                            + Html.shown(Spread.of(samples, "pauseFloorAfterMillisP50")
                                    .mean()) + ")",
                    Html.shown(pause.mean() / floor.mean()),
                    Html.shown(scaled(Spread.of(samples, "wireBytesPerEpoch"), 1 / KIB)),
                    verdict(Spread.of(samples, "verifyDifferingPages").max())));
        });
        lines.values().forEach(Report::sort);
        html.plot(Plot.lines("Pause p50", "dirty pages per epoch, p50", "ms", true, List.copyOf(lines.values())));
        html.table(
                List.of(
                        "mode",
                        "wanted pages",
                        "pages p50",
                        "pause p50 ms",
                        "longest pause ms",
                        "floor ms (before, after)",
                        "÷ floor",
                        "wire KiB",
                        "memories"),
                rows);
    }

    /** Lines are drawn from point to point. */
    private static void sort(final Plot.Line line) {
        final Map<Double, Spread> byX = new TreeMap<>();
        for (int i = 0; i < line.xs().size(); i++) {
            byX.put(line.xs().get(i), line.ys().get(i));
        }
        line.xs().clear();
        line.ys().clear();
        byX.forEach(line::add);
    }

    private void overheadSection() {
        html.heading(2, "Runtime overhead of NPB-EP");
        html.note(
                "Aims: at most 8 % at 10 epochs/s, 15 % at 40. Remus is remembered at +31 % and +103 % on a kernel build [M]."
                        + " stop-cont is the guest paused and resumed at that rate with nothing done meanwhile, and no agent."
                        + " fgbi-apart is the default with the guest's virtual processor on one processor of this machine and both"
                        + " agents on the rest; otherwise the agents of both hosts share all of them with the guest."
                        + " Windows with and without alternate; each is compared with the two unprotected ones around it.");
        final OverheadFigures figures = new OverheadFigures(results);
        final List<List<String>> rows = new ArrayList<>();
        for (final Point point : figures.points()) {
            final Spread overhead = figures.overhead(point);
            rows.add(List.of(
                    point.coordinate("mode"),
                    point.coordinate("epochsPerSecond"),
                    Html.shown(figures.spread(point, "epochsPerSecond")),
                    Html.shown(figures.without(point)),
                    Html.shown(figures.spread(point, "unitsPerSecond")),
                    Html.percent(overhead.mean()) + " ± " + Html.percent(overhead.deviation()),
                    Html.percent(overhead.median()),
                    Html.percent(figures.pauses(point).mean()),
                    Html.percent(figures.stopContShare(point)),
                    Html.shown(figures.spread(point, "pauseMillisP50")),
                    verdict(figures.spread(point, "verifyDifferingPages").max())));
        }
        html.table(
                List.of(
                        "mode",
                        "wanted epochs/s",
                        "epochs/s",
                        "pairs/s without",
                        "pairs/s",
                        "overhead",
                        "its median",
                        "pauses alone",
                        "of it stop + cont",
                        "pause p50 ms",
                        "memories"),
                rows);
    }

    private void sizeSection() {
        html.heading(2, "Synthetic guest: cost against its size");
        html.note(
                "Synthetic: a process that writes 12,000 pages/s, always the same 256 MiB, and has no devices to speak of."
                        + " The rest of its memory is zero. The scan is the part of the pause in which the kernel is asked for"
                        + " written pages, by one thread or side by side by several (--scan-threads).");
        final Map<String, Plot.Line> lines = new TreeMap<>();
        final Map<String, Plot.Line> scans = new TreeMap<>();
        final List<List<String>> rows = new ArrayList<>();
        results.of(SyntheticExperiments.SIZE).forEach((point, samples) -> {
            final Spread pause = Spread.of(samples, "pauseMillisP50");
            final double memoryMiB = Double.parseDouble(point.coordinate("memoryMiB"));
            final Spread scan = Spread.of(samples, "scanMillisP50");
            final String scanThreads = point.coordinate("scanThreads");
            final String series = point.coordinate("mode") + ", scan threads: " + scanThreads;
            lines.computeIfAbsent(series, Plot.Line::new).add(memoryMiB, pause);
            scans.computeIfAbsent(series, Plot.Line::new).add(memoryMiB, scan);
            rows.add(List.of(
                    point.coordinate("mode"),
                    point.coordinate("memoryMiB"),
                    scanThreads,
                    Html.shown(Spread.of(samples, "dirtyPagesPerEpoch")),
                    Html.shown(pause),
                    Html.shown(Spread.of(samples, "pauseMillisMax")),
                    Html.shown(scan),
                    Html.shown(Spread.of(samples, "scanMillisMax")),
                    Html.shown(Spread.of(samples, "pauseFloorMillisP50").mean()),
                    Html.shown(Spread.of(samples, "primaryCpuMillisPerEpoch")),
                    verdict(Spread.of(samples, "verifyDifferingPages").max())));
        });
        lines.values().forEach(Report::sort);
        scans.values().forEach(Report::sort);
        html.plot(Plot.lines("Pause p50 (synthetic guest)", "MiB", "ms", false, List.copyOf(lines.values())));
        html.plot(Plot.lines("Scan p50 (synthetic guest)", "MiB", "ms", false, List.copyOf(scans.values())));
        html.table(
                List.of(
                        "mode",
                        "MiB",
                        "scan threads",
                        "dirty pages",
                        "pause p50 ms",
                        "longest pause ms",
                        "scan p50 ms",
                        "longest scan ms",
                        "floor ms",
                        "primary CPU ms",
                        "memories"),
                rows);
        lines.forEach((mode, line) -> {
            if (line.xs().size() > 1) {
                html.paragraph(mode + ": " + Html.shown(nanosAPage(line)) + " ns of pause, "
                        + Html.shown(nanosAPage(scans.get(mode)))
                        + " of them the scan, for each page of the guest (least squares).");
            }
        });
    }

    private static double nanosAPage(final Plot.Line line) {
        final double xMean =
                line.xs().stream().mapToDouble(Double::doubleValue).average().orElseThrow();
        final double yMean =
                line.ys().stream().mapToDouble(Spread::mean).average().orElseThrow();
        double products = 0;
        double squares = 0;
        for (int i = 0; i < line.xs().size(); i++) {
            final double x = line.xs().get(i) - xMean;
            products += x * (line.ys().get(i).mean() - yMean);
            squares += x * x;
        }
        return products / squares * 1e6 / 256;
    }

    private void syntheticSection() {
        html.heading(2, "Synthetic guest: dirty rates");
        html.note("Synthetic: 1 GiB, of which 256 MiB are written. sequential: numbers counted up; random: noise.");
        final Map<String, Plot.Line> pauses = new TreeMap<>();
        final Map<String, Plot.Line> bytes = new TreeMap<>();
        final List<List<String>> rows = new ArrayList<>();
        results.of(SyntheticExperiments.RATE).forEach((point, samples) -> {
            final double rate = Double.parseDouble(point.coordinate("wantedPagesPerSecond"));
            if (point.coordinate("pattern").equals("sequential")) {
                pauses.computeIfAbsent(point.coordinate("mode"), Plot.Line::new)
                        .add(rate, Spread.of(samples, "pauseMillisP50"));
                bytes.computeIfAbsent(point.coordinate("mode"), Plot.Line::new)
                        .add(rate, scaled(Spread.of(samples, "wireBytesPerEpoch"), 1 / KIB));
            }
            rows.add(List.of(
                    point.coordinate("mode"),
                    point.coordinate("pattern") + ", " + point.coordinate("bytesPerPage") + " B",
                    point.coordinate("wantedPagesPerSecond"),
                    Html.shown(Spread.of(samples, "epochsPerSecond")),
                    Html.shown(Spread.of(samples, "dirtyPagesPerEpoch")),
                    Html.shown(Spread.of(samples, "pauseMillisP50")),
                    Html.shown(Spread.of(samples, "pauseMillisMax")),
                    Html.shown(Spread.of(samples, "commitMillisP50")),
                    Html.shown(scaled(Spread.of(samples, "wireBytesPerEpoch"), 1 / KIB)),
                    Html.shown(Spread.of(samples, "primaryCpuMillisPerEpoch")),
                    verdict(Spread.of(samples, "verifyDifferingPages").max())));
        });
        html.plot(Plot.lines("Pause p50 (synthetic guest)", "pages/s", "ms", true, List.copyOf(pauses.values())));
        html.plot(Plot.lines(
                "Wire bytes per epoch (synthetic guest)", "pages/s", "KiB", true, List.copyOf(bytes.values())));
        html.table(
                List.of(
                        "mode",
                        "writes",
                        "wanted pages/s",
                        "epochs/s",
                        "dirty pages",
                        "pause p50 ms",
                        "longest pause ms",
                        "commit p50 ms",
                        "wire KiB",
                        "primary CPU ms",
                        "memories"),
                rows);
    }

    private void migrationSection() {
        html.heading(2, "Initial synchronisation beside QEMU's own migration");
        html.note(
                "The same guest over the same link, QEMU's bandwidth limit lifted. A migration ends with the guest stopped, a"
                        + " synchronisation with the guest protected. MiB are what the link carried from host A, headers included."
                        + " Five samples each.");
        final List<List<String>> rows = new ArrayList<>();
        results.of(MigrationExperiment.NAME)
                .forEach((point, samples) -> rows.add(List.of(
                        point.coordinate("workload"),
                        point.coordinate("method"),
                        Html.shown(Spread.of(samples, "totalMillis")),
                        Html.shown(scaled(Spread.of(samples, "linkBytes"), 1 / MIB)),
                        Html.shown(Spread.of(samples, "downtimeMillis")))));
        html.table(List.of("workload", "method", "time ms", "MiB", "downtime ms"), rows);
    }

    private void failures() {
        if (!results.failures().isEmpty()) {
            html.heading(2, "Not measured");
            html.textTable(
                    List.of("what", "why"),
                    results.failures().stream()
                            .map(failure -> List.of(failure.point().toString(), failure.message()))
                            .toList());
        }
    }
}
