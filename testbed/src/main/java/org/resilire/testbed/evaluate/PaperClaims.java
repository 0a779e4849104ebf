package org.resilire.testbed.evaluate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** What the papers say, as far as it is known, and what was measured of it. */
final class PaperClaims {

    private static final String WIRE = "wireBytesPerEpoch";
    private static final String PAUSE = "pauseMillisP50";

    private PaperClaims() {}

    /** Claim and measurement, a row each. */
    static List<List<String>> rows(final ModeFigures modes, final Results results) {
        final List<List<String>> rows = new ArrayList<>();
        rows.add(List.of(
                "Type II downtime on NPB-EP: \"much lower\" than Remus [R]; more than 70 % below [M]",
                "pause p50 " + change(modes, Workload.NPB_EP, ProtectionMode.FGBI_BOTH, ProtectionMode.REMUS_RAW, PAUSE)
                        + " against Remus raw; above the floor of stop, device state and cont: "
                        + aboveFloor(modes, Workload.NPB_EP)));
        rows.add(List.of(
                "Ablation on NPB-EP against bare FGBI: compression −22 %, sharing −26 %, both −33 % [M]",
                ablation(modes, WIRE, "wire bytes for a dirty page") + "; " + ablation(modes, PAUSE, "pause p50")
                        + ". Of which of these the papers' figures are, our note of them does not say"));
        rows.add(List.of(
                "Idle: type II downtime about equal for all [R]", "pause p50 from " + extremes(modes, Workload.IDLE)));
        rows.add(List.of(
                "Runtime overhead of FGBI at 64 B: at most 13 % (Apache), mean below 8.21 % [R]",
                "static web " + overhead(modes, Workload.WEB_STATIC, ProtectionMode.FGBI_BOTH) + ", NPB-EP "
                        + overhead(modes, Workload.NPB_EP, ProtectionMode.FGBI_BOTH)
                        + ", at this evaluation's period"));
        rows.add(List.of(
                "Remus slows a kernel build by 31 % at 10 epochs/s and 103 % at 40 [M]",
                "NPB-EP, which is no kernel build, at 10 and 40 epochs/s: "
                        + slowdowns(results, "Remus raw", ProtectionMode.REMUS_RAW.name()) + "; "
                        + slowdowns(results, "FGBI as by default", ProtectionMode.DEFAULT.name()) + "; "
                        + slowdowns(
                                results,
                                "the same with agents kept off the guest's processor",
                                OverheadExperiment.APART)
                        + "; "
                        + slowdowns(results, "stop and cont alone", OverheadExperiment.STOP_CONT)));
        rows.add(List.of(
                "Smaller blocks cost more [R]",
                "NPB-EP overhead at 64 / 128 / 256 B: "
                        + overhead(modes, Workload.NPB_EP, ProtectionMode.FGBI_BOTH) + " / "
                        + overhead(modes, Workload.NPB_EP, ProtectionMode.named("fgbi-both-128")) + " / "
                        + overhead(modes, Workload.NPB_EP, ProtectionMode.named("fgbi-both-256"))));
        rows.add(List.of(
                "SPECweb dirties about 12,000 pages/s; 1 Gbit/s carries about 25,000 [R]",
                "at 12,000 pages/s FGBI with both sends "
                        + Html.percent(
                                modes.wireRatio(Workload.DIRTY, ProtectionMode.FGBI_BOTH, ProtectionMode.REMUS_RAW))
                        + " of Remus raw's bytes"));
        rows.add(List.of(
                "20 samples a point, standard deviation below 7.6 % of the mean [R]",
                "largest of pause p50: " + Html.percent(largestDeviation(modes))));
        rows.add(List.of(
                "Type I downtime below LLM's by up to 77 % and below Remus' by as much as 31 % (Apache), 45 % (NPB-EP), 39 %"
                        + " (SPECweb), 35 % (SPECsys) [R]",
                replayDowntimes(results)));
        rows.add(List.of("LLM: network delay more than 90 % below Remus' [R]", replayDelay(results)));
        rows.add(List.of(
                "VDEchp and VPC, against VNsnap: solo downtime up to −45 %, that of a cluster up to −50 %; memory at most 9 %,"
                        + " overhead below 16 % [R]",
                "not measured: each guest is protected by itself, and there are no checkpoints of several together"));
        rows.add(List.of(
                "(our own aim) wire bytes of FGBI with both: at most 0.35 of Remus raw and 0.8 of Remus compressed on every"
                        + " workload but random overwrites, which NPB-EP's deviates are, too. The third figure, without an aim: of Remus"
                        + " with the same coder, which leaves zero bytes out; the papers' Remus has none",
                bytes(modes)));
        rows.add(List.of(
                "(our own aim) pause p50 at most 1.25 × the floor with 240 dirty pages an epoch, 2 × with 2,400",
                overFloor(results, 240) + " and " + overFloor(results, 2_400) + " as by default"));
        rows.add(List.of(
                "(our own aim) nothing is slow because it runs for the first time: the longest of an agent's first pauses",
                firstPauses(results)));
        rows.add(List.of("(our own aim) memories equal after every run of every mode", verdicts(results)));
        return rows;
    }

    private static String replayDelay(final Results results) {
        final List<String> reductions = ReplaySection.reductions(results);
        return reductions.isEmpty()
                ? "not measured"
                : "under HighNet the mean delay is below Remus' by " + String.join(", ", reductions);
    }

    private static String replayDowntimes(final Results results) {
        final List<String> differences = ReplaySection.downtimeDifferences(results);
        return differences.isEmpty()
                ? "not measured"
                : "FGBI below LLM and below Remus: " + String.join("; ", differences);
    }

    private static String change(
            final ModeFigures modes,
            final Workload workload,
            final ProtectionMode mode,
            final ProtectionMode to,
            final String figure) {
        final double change = ratio(modes, workload, mode, to, figure) - 1;
        return Double.isNaN(change) ? "–" : (change > 0 ? "+" : "−") + Html.percent(Math.abs(change));
    }

    private static double ratio(
            final ModeFigures modes,
            final Workload workload,
            final ProtectionMode mode,
            final ProtectionMode to,
            final String figure) {
        return figure.equals(WIRE) ? modes.wireRatio(workload, mode, to) : modes.ratio(workload, mode, to, figure);
    }

    private static String aboveFloor(final ModeFigures modes, final Workload workload) {
        final double remus = above(modes, workload, ProtectionMode.REMUS_RAW);
        final double fgbi = above(modes, workload, ProtectionMode.FGBI_BOTH);
        return Html.shown(fgbi) + " ms against " + Html.shown(remus) + " ms";
    }

    private static double above(final ModeFigures modes, final Workload workload, final ProtectionMode mode) {
        return modes.mean(workload, mode, PAUSE) - modes.mean(workload, mode, "pauseFloorMillisP50");
    }

    private static String ablation(final ModeFigures modes, final String figure, final String name) {
        return name + " "
                + String.join(
                        " / ",
                        List.of(ProtectionMode.FGBI_COMPRESSION, ProtectionMode.FGBI_SHARING, ProtectionMode.FGBI_BOTH)
                                .stream()
                                .map(mode -> change(modes, Workload.NPB_EP, mode, ProtectionMode.FGBI_BARE, figure))
                                .toList());
    }

    private static String slowdowns(final Results results, final String title, final String mode) {
        final OverheadFigures figures = new OverheadFigures(results);
        return title + " "
                + String.join(
                        " and ",
                        OverheadExperiment.RATES.stream()
                                .map(rate -> Html.percent(figures.overhead(OverheadExperiment.point(rate, mode))
                                        .mean()))
                                .toList());
    }

    private static String extremes(final ModeFigures modes, final Workload workload) {
        final Spread all = Spread.of(ProtectionMode.ALL.stream()
                .mapToDouble(mode -> modes.mean(workload, mode, PAUSE))
                .toArray());
        return Html.shown(all.min()) + " to " + Html.shown(all.max()) + " ms over the modes";
    }

    private static double largestDeviation(final ModeFigures modes) {
        return Arrays.stream(Workload.values())
                .flatMapToDouble(workload -> ProtectionMode.ALL.stream()
                        .map(mode -> modes.spread(workload, mode, PAUSE))
                        .filter(spread -> !spread.isEmpty())
                        .mapToDouble(spread -> spread.deviation() / spread.mean()))
                .max()
                .orElse(Double.NaN);
    }

    private static String bytes(final ModeFigures modes) {
        return String.join(
                "; ",
                Arrays.stream(Workload.values())
                        .map(workload -> {
                            final double raw = wireRatio(modes, workload, ProtectionMode.REMUS_RAW);
                            return Double.isNaN(raw)
                                    ? null
                                    : workload.label() + " " + Html.shown(raw) + ", "
                                            + Html.shown(wireRatio(modes, workload, ProtectionMode.REMUS_COMPRESSED))
                                            + " and "
                                            + Html.shown(wireRatio(modes, workload, ProtectionMode.REMUS_PACKED));
                        })
                        .filter(Objects::nonNull)
                        .toList());
    }

    private static double wireRatio(final ModeFigures modes, final Workload workload, final ProtectionMode remus) {
        return modes.wireRatio(workload, ProtectionMode.FGBI_BOTH, remus);
    }

    private static String firstPauses(final Results results) {
        final Spread longest = Spread.of(results.of(ModesExperiment.NAME).values().stream()
                .mapToDouble(samples -> samples.getFirst().figure("firstPausesMillisMax"))
                .toArray());
        return longest.isEmpty()
                ? "not measured"
                : "median of " + longest.count() + " agents " + Html.shown(longest.median()) + " ms, at most "
                        + Html.shown(longest.max()) + " ms, in the experiment modes";
    }

    private static String overhead(final ModeFigures modes, final Workload workload, final ProtectionMode mode) {
        final Spread overhead = modes.overhead(workload, mode);
        return overhead.isEmpty() ? "–" : Html.percent(overhead.mean()) + " ± " + Html.percent(overhead.deviation());
    }

    private static String overFloor(final Results results, final long pages) {
        final List<Sample> samples = results.of(PauseExperiment.NAME)
                .getOrDefault(PauseExperiment.point(ProtectionMode.DEFAULT, pages), List.of());
        return Html.shown(Spread.of(samples, "pauseMillisP50").mean()
                / Spread.of(samples, "pauseFloorMillisP50").mean());
    }

    private static String verdicts(final Results results) {
        final int failed = results.failures().size();
        long points = 0;
        long differing = 0;
        for (final String experiment : List.of(
                ModesExperiment.NAME,
                PauseExperiment.NAME,
                OverheadExperiment.NAME,
                SyntheticExperiments.SIZE,
                SyntheticExperiments.RATE,
                DelayExperiment.NAME,
                TrialExperiment.NAME,
                ReplayExperiment.NAME)) {
            for (final List<Sample> samples : results.of(experiment).values()) {
                final Spread pages = Spread.of(samples, "verifyDifferingPages");
                points += pages.isEmpty() ? 0 : 1;
                differing += pages.max() > 0 ? 1 : 0;
            }
        }
        return (differing == 0 ? "all of " + points : "DIFFER after " + differing + " of " + points)
                + (failed == 0 ? "" : "; " + failed + " points could not be measured (see the end)");
    }
}
