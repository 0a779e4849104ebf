package org.resilire.testbed.evaluate;

import java.awt.Color;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.VectorGraphicsEncoder.VectorGraphicsFormat;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.internal.chartpart.Chart;
import org.knowm.xchart.style.Styler.LegendLayout;
import org.knowm.xchart.style.Styler.LegendPosition;

/** Drawings by XChart, as image elements that hold their SVG: nothing else is loaded. */
final class Plot {

    private static final int WIDTH = 980;
    private static final int HEIGHT = 460;
    private static final int LABEL_ROTATION = 20;

    /** Told apart by people who do not see all colours, too (after Okabe and Ito). */
    private static final Color[] COLORS = {
        new Color(0x999999), new Color(0x000000), new Color(0x56B4E9), new Color(0x0072B2), new Color(0x009E73),
        new Color(0xD55E00), new Color(0xE69F00), new Color(0xCC79A7), new Color(0xF0E442), new Color(0x7F3C8D)
    };

    private Plot() {}

    /**
     * Something measured at several places.
     *
     * @param name in the legend
     */
    record Line(String name, List<Double> xs, List<Spread> ys) {

        Line(final String name) {
            this(name, new ArrayList<>(), new ArrayList<>());
        }

        void add(final double x, final Spread y) {
            if (!Double.isNaN(x) && !y.isEmpty()) {
                xs.add(x);
                ys.add(y);
            }
        }
    }

    /** Lines with error bars of a standard deviation to either side. */
    static String lines(
            final String title,
            final String xTitle,
            final String yTitle,
            final boolean logarithmic,
            final List<Line> lines) {
        final XYChart chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(title)
                .xAxisTitle(xTitle)
                .yAxisTitle(yTitle)
                .build();
        style(chart);
        chart.getStyler().setXAxisLogarithmic(logarithmic).setYAxisLogarithmic(logarithmic);
        boolean isEmpty = true;
        for (final Line line : lines) {
            if (!line.xs().isEmpty()) {
                chart.addSeries(line.name(), line.xs(), means(line.ys()), errors(line.ys(), logarithmic));
                isEmpty = false;
            }
        }
        return isEmpty ? "" : image(chart, title);
    }

    /**
     * Groups of bars with error bars.
     *
     * @param groups names of the groups
     * @param bars one line for each bar of a group; its places are the groups, and there must be one for each
     */
    static String bars(final String title, final String yTitle, final List<String> groups, final List<Line> bars) {
        final CategoryChart chart = new CategoryChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(title)
                .yAxisTitle(yTitle)
                .build();
        style(chart);
        chart.getStyler().setAvailableSpaceFill(0.9);
        chart.getStyler().setXAxisLabelRotation(LABEL_ROTATION);
        boolean isEmpty = true;
        for (final Line bar : bars) {
            if (bar.ys().stream().anyMatch(value -> !value.isEmpty())) {
                chart.addSeries(bar.name(), groups, means(bar.ys()), errors(bar.ys(), false));
                isEmpty = false;
            }
        }
        return isEmpty ? "" : image(chart, title);
    }

    private static void style(final Chart<?, ?> chart) {
        chart.getStyler()
                .setSeriesColors(COLORS)
                .setChartBackgroundColor(Color.WHITE)
                .setLegendPosition(LegendPosition.OutsideS)
                .setLegendLayout(LegendLayout.Horizontal);
    }

    private static List<Double> means(final List<Spread> spreads) {
        return spreads.stream()
                .map(spread -> spread.isEmpty() ? 0.0 : spread.mean())
                .toList();
    }

    /** On a logarithmic axis none may reach zero. */
    private static List<Double> errors(final List<Spread> spreads, final boolean logarithmic) {
        return spreads.stream()
                .map(spread -> spread.isEmpty()
                        ? 0.0
                        : logarithmic ? Math.min(spread.deviation(), 0.9 * spread.mean()) : spread.deviation())
                .toList();
    }

    private static String image(final Chart<?, ?> chart, final String title) {
        try {
            final ByteArrayOutputStream svg = new ByteArrayOutputStream();
            VectorGraphicsEncoder.saveVectorGraphic(chart, svg, VectorGraphicsFormat.SVG);
            // As an image each drawing keeps its ids to itself.
            return "<img alt=\"" + Html.escape(title) + "\" src=\"data:image/svg+xml;base64,"
                    + Base64.getEncoder().encodeToString(svg.toByteArray()) + "\">\n";
        } catch (final IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }
}
