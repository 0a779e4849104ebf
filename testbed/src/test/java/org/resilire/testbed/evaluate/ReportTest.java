package org.resilire.testbed.evaluate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReportTest {

    private static final Pattern LOADED = Pattern.compile("(?:src|href)=\"(.{0,30})|@import|<script|<link");

    @TempDir
    private Path directory;

    private Results results;

    @BeforeAll
    static void needNoScreen() {
        System.setProperty("java.awt.headless", "true");
    }

    @BeforeEach
    void open() {
        results = Results.open(directory, "2 samples");
        results.begin(new Results.Run(Instant.EPOCH, Map.of("qemu", "QEMU 7 & more", "kernel", "6.12")));
    }

    @Test
    void shouldBeOnePageThatNeedsNothingElse() throws IOException {
        addModes(Workload.IDLE);
        addModes(Workload.NPB_EP);
        final String page = page();
        final Matcher loaded = LOADED.matcher(page);
        int images = 0;
        while (loaded.find()) {
            assertTrue(loaded.group().startsWith("src=\"data:image/svg+xml;base64,"), loaded::group);
            images++;
        }
        assertEquals(3, images);
        assertTrue(page.contains("QEMU 7 &amp; more"), page);
        assertTrue(page.contains("6.12"), page);
    }

    @Test
    void shouldSetTheRatioBesideTheClaim() throws IOException {
        addModes(Workload.NPB_EP);
        final String claim = row(page(), "Ablation on NPB-EP");
        // For each dirty page bare FGBI sends 4000 B, its other variants 5000, 6000 and 7000.
        assertTrue(claim.contains("wire bytes for a dirty page +25.0 % / +50.0 % / +75.0 %"), claim);
        assertTrue(row(page(), "Type II downtime on NPB-EP").contains("+600.0 % against Remus raw"), page());
        // And Remus 1000, 2000 and 3000.
        assertTrue(row(page(), "(our own aim) wire bytes").contains("npb-ep 7.00, 3.50 and 2.33"), page());
    }

    @Test
    void shouldShowEveryModeOfAWorkloadWithWhatItCosts() throws IOException {
        addModes(Workload.NPB_EP);
        final String page = page();
        for (final ProtectionMode mode : ProtectionMode.ALL) {
            final String pause = Html.shown(ProtectionMode.ALL.indexOf(mode) + 1.0);
            final String row = row(page, Html.escape(mode.title()));
            assertTrue(row.contains(" | " + pause + " ± 0 | "), row);
            assertTrue(row.contains("25.0 % ± 0.0 %"), row);
            assertTrue(row.endsWith("equal"), row);
        }
    }

    /** A window has some 25 pauses: its 99th percentile is the longest of them, and is not to be called anything else. */
    @Test
    void shouldCallTheLongestPauseOfAWindowWhatItIs() throws IOException {
        final Map<String, Double> figures =
                Map.of("pauseMillisP50", 3.0, "pauseMillisP99", 7.0, "pauseMillisMax", 8.0, "scanMillisP99", 7.0);
        add(ModesExperiment.point(Workload.IDLE, ProtectionMode.DEFAULT), figures);
        add(PauseExperiment.point(ProtectionMode.DEFAULT, 240), figures);
        final String page = page();
        assertFalse(page.contains("p99"), page);
        assertTrue(row(page, ProtectionMode.DEFAULT.title()).contains(" | 8.00 ± 0 | "), page);
        assertTrue(row(page, "fgbi-auto | 240").contains(" | 8.00 ± 0 | "), page);
    }

    @Test
    void shouldTellWhichPartOfTheOverheadIsThatOfStopAndCont() throws IOException {
        final Point alone = OverheadExperiment.point(40, OverheadExperiment.STOP_CONT);
        final Point fgbi = OverheadExperiment.point(40, ProtectionMode.DEFAULT.name());
        for (final Point point : List.of(alone, fgbi)) {
            add(OverheadExperiment.baseline(point), Map.of("unitsPerSecond", 1_000.0));
        }
        add(alone, Map.of("unitsPerSecond", 1_000 / 1.05));
        add(fgbi, Map.of("unitsPerSecond", 1_000 / 1.20));
        final String row = row(page(), "fgbi-auto");
        assertTrue(row.contains("20.0 % ± 0.0 % | 20.0 % | – | 25.0 %"), row);
        assertTrue(row(page(), "Remus slows a kernel build").contains("stop and cont alone – and 5.0 %"), page());
    }

    @Test
    void shouldCompareEachWindowWithTheUnprotectedOnesAroundIt() throws IOException {
        final Point point = OverheadExperiment.point(10, ProtectionMode.DEFAULT.name());
        final double[] without = {1_000, 1_200, 1_400};
        for (int i = 0; i < without.length; i++) {
            addOne(OverheadExperiment.baseline(point), i + 1, Map.of("unitsPerSecond", without[i]));
        }
        // A guest that gets faster all the while, and is slowed by a tenth.
        addOne(point, 1, Map.of("unitsPerSecond", 1_100 / 1.1, "pauseMillisMean", 4.0, "epochsPerSecond", 10.0));
        addOne(point, 2, Map.of("unitsPerSecond", 1_300 / 1.1, "pauseMillisMean", 4.0, "epochsPerSecond", 10.0));
        final String row = row(page(), "fgbi-auto");
        // Paused for 4 % of the time, which is 4.2 % of the rest.
        assertTrue(row.contains("10.0 % ± 0.0 % | 10.0 % | 4.2 %"), row);
    }

    @Test
    void shouldTellTheSlopeOfThePauseForAPageOfTheGuest() throws IOException {
        for (final int mebibytes : new int[] {512, 1_024, 4_096}) {
            // 2 ms and 10 ns a page of 4 KiB.
            add(
                    Point.of(SyntheticExperiments.SIZE)
                            .with("mode", "fgbi-auto")
                            .with("memoryMiB", mebibytes)
                            .with("scanThreads", 2),
                    Map.of(
                            "pauseMillisP50",
                            2 + mebibytes * 256 * 10 / 1e6,
                            "scanMillisP50",
                            mebibytes * 256 * 4 / 1e6));
        }
        final String page = page();
        assertTrue(
                page.contains("fgbi-auto, scan threads: 2: 10.0 ns of pause, 4.00 of them the scan, for each page"),
                page);
    }

    @Test
    void shouldTellTheDelayBesideTheCommitThatItWaitsFor() throws IOException {
        add(
                DelayExperiment.point("output"),
                Map.of(
                        "latencyMillisP50", 6.0,
                        "latencyMillisMean", 7.0,
                        "latencyMillisP99", 9.0,
                        "commitMillisP50", 3.0));
        add(DelayExperiment.point(DelayExperiment.UNPROTECTED), Map.of("latencyMillisP50", 1.5));
        final String row = row(page(), "when the guest sends");
        assertTrue(row.contains("3.00 ± 0 | 2.00"), row);
        assertTrue(row(page(), "unprotected").startsWith("unprotected | 1.50 ± 0"), page());
    }

    @Test
    void shouldTellWhatATestOfTheStandbyMakesOfTheDelayWindowByWindow() throws IOException {
        final double[] without = {10, 12, 14};
        for (int i = 0; i < without.length; i++) {
            addOne(TrialExperiment.baseline(), i + 1, Map.of("latencyMillisP50", without[i]));
        }
        // A guest that gets slower all the while; a test adds 2 ms the first time and 4 the second.
        addOne(TrialExperiment.point(), 1, Map.of("latencyMillisP50", 13.0));
        addOne(TrialExperiment.point(), 2, Map.of("latencyMillisP50", 17.0));
        final String row = row(page(), "delay p50 ms");
        assertTrue(row.contains("12.0 ± 2.00 | 15.0 ± 2.83 | 3.00 ± 1.41 | 1.00 | beyond noise"), row);
    }

    @Test
    void shouldSetInputReplayBesideRemusAtTheSamePeriod() throws IOException {
        final Map<ReplayMode, Double> downtimes =
                Map.of(ReplayMode.REMUS, 320.0, ReplayMode.FGBI, 240.0, ReplayMode.LLM, 300.0);
        for (final ReplayMode mode : ReplayMode.ALL) {
            final double delay = mode.equals(ReplayMode.LLM) ? 1 : 20;
            add(
                    ReplayExperiment.point(ReplayExperiment.DELAY, ReplayLoad.HIGH_NET, mode, 100),
                    Map.of("latencyMillisMean", delay, "latencyMillisP99", 2 * delay));
            add(
                    ReplayExperiment.point(ReplayExperiment.DOWNTIME, ReplayLoad.HIGH_NET, mode, 100),
                    Map.of(
                            "serviceDowntimeMillis", downtimes.get(mode),
                            "lostAnswers", 1.0,
                            "duplicatedAnswers", 0.0,
                            "wrongAnswers", 0.0));
            add(
                    ReplayExperiment.point(ReplayExperiment.COURSE, ReplayLoad.HIGH_NET, mode, 500),
                    Map.of("sentMillis", 5.0, "latencyMillis", delay));
        }
        final String page = page();
        assertTrue(row(page, "LLM: network delay").contains("95.0 % at 100 ms"), page);
        assertTrue(row(page, "Type I downtime below LLM").contains("high-net at 100 ms 20.0 % and 25.0 %"), page);
        assertTrue(row(page, "high-net | 100 | LLM | 1.00").contains("-95.0 %"), page);
        // Of two failovers, one answer each.
        assertTrue(row(page, "high-net | 100 | LLM | 2 | 300").contains(" | 2.00 | 0 | 0"), page);
    }

    @Test
    void shouldSetDisksBesideQemuNbd() throws IOException {
        final FioJob job = FioJob.named("random-read");
        add(DiskExperiment.point(DiskExperiment.Server.QEMU_NBD, job), Map.of("requestsPerSecond", 1_000.0));
        add(DiskExperiment.point(DiskExperiment.Server.AGENT, job), Map.of("requestsPerSecond", 1_500.0));
        final String row = row(page(), "the agent, no backup | " + job.title());
        assertTrue(row.contains(" | 1.50 | "), row);
    }

    @Test
    void shouldNotHideThatMemoriesDiffer() throws IOException {
        final Point point = ModesExperiment.point(Workload.IDLE, ProtectionMode.DEFAULT);
        add(point, Map.of("pauseMillisP50", 1.0, "verifyDifferingPages", 3.0));
        final String page = page();
        assertTrue(page.contains("<td class=\"bad\">DIFFER in 3.00 pages"), page);
        assertTrue(row(page, "(our own aim) memories equal").contains("DIFFER after 1 of 1"), page);
    }

    /** Those of some experiments are shown nowhere else. */
    @ParameterizedTest
    @ValueSource(strings = {"modes", "pause", "overhead", "size", "synthetic", "delay", "trial", "llm"})
    void shouldCountEveryComparisonOfMemories(final String experiment) throws IOException {
        addOne(Point.of(experiment).with("mode", "any"), 1, Map.of("verifyDifferingPages", 1.0));
        addOne(Point.of(experiment).with("mode", "other"), 1, Map.of("verifyDifferingPages", 0.0));
        assertTrue(PaperClaims.rows(new ModeFigures(results), results).stream()
                .anyMatch(row -> row.getLast().equals("DIFFER after 1 of 2")));
    }

    @Test
    void shouldSayWhatCouldNotBeMeasuredAndWhy() throws IOException {
        results.addFailure(ModesExperiment.point(Workload.IDLE, ProtectionMode.DEFAULT), "the agent <ended>");
        final String page = page();
        assertTrue(row(page, "modes: workload idle").contains("the agent &lt;ended&gt;"), page);
        assertFalse(page.contains("<ended>"), page);
    }

    /** Modes have 1, 2, 3 … ms of pause and as many thousand bytes; each takes a quarter more time. */
    private void addModes(final Workload workload) {
        double rank = 0;
        for (final ProtectionMode mode : ProtectionMode.ALL) {
            rank++;
            add(ModesExperiment.baseline(workload, mode), Map.of("unitsPerSecond", 500.0));
            final Map<String, Double> figures = new LinkedHashMap<>();
            figures.put("pauseMillisP50", rank);
            // The guest got less done in some modes than in others.
            final double pages = 100 + 10 * rank;
            figures.put("dirtyPagesPerEpoch", pages);
            figures.put("wireBytesPerEpoch", rank * 1_000 * pages);
            figures.put("unitsPerSecond", 400.0);
            figures.put("verifyDifferingPages", 0.0);
            add(ModesExperiment.point(workload, mode), figures);
        }
    }

    private void addOne(final Point point, final int number, final Map<String, Double> figures) {
        results.add(List.of(new Sample(point, number, Instant.EPOCH, figures)));
    }

    private void add(final Point point, final Map<String, Double> figures) {
        results.add(
                List.of(new Sample(point, 1, Instant.EPOCH, figures), new Sample(point, 2, Instant.EPOCH, figures)));
    }

    private String page() throws IOException {
        return Files.readString(Report.write(directory, results));
    }

    /** The cells of the row that begins so. */
    private static String row(final String page, final String start) {
        return page.lines()
                .filter(line -> line.startsWith("<tr>"))
                .map(line -> String.join(
                        " | ", line.replaceAll("<[^>]*>", "\n").strip().split("\n+")))
                .filter(row -> row.startsWith(start))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no row " + start + " in " + page));
    }
}
