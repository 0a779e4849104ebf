package org.resilire.benchmarks.report;

import java.util.ArrayList;
import java.util.List;

/** Text in columns: the first ones to the left, numbers to the right. */
final class Table {

    private final int leftColumns;
    private final List<List<String>> rows = new ArrayList<>();

    Table(final int leftColumns, final String... headings) {
        this.leftColumns = leftColumns;
        rows.add(List.of(headings));
    }

    void add(final List<String> cells) {
        rows.add(List.copyOf(cells));
    }

    String render() {
        final int[] widths = new int[rows.getFirst().size()];
        for (final List<String> row : rows) {
            for (int column = 0; column < row.size(); column++) {
                widths[column] = Math.max(widths[column], row.get(column).length());
            }
        }
        final StringBuilder text = new StringBuilder();
        for (final List<String> row : rows) {
            final StringBuilder line = new StringBuilder();
            for (int column = 0; column < row.size(); column++) {
                final String cell = row.get(column);
                final String padding = " ".repeat(widths[column] - cell.length());
                line.append(column == 0 ? "  " : "   ").append(column < leftColumns ? cell + padding : padding + cell);
            }
            text.append(line.toString().stripTrailing()).append('\n');
        }
        return text.toString();
    }
}
