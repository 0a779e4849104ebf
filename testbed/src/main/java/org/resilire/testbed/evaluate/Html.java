package org.resilire.testbed.evaluate;

import java.util.List;
import java.util.Locale;

/** A page that needs nothing but itself. One thread. */
final class Html {

    private static final String STYLE = """
            body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 1100px; margin: 2em auto; padding: 0 1em; }
            h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 2.5em; border-bottom: 1px solid #ccc; }
            table { border-collapse: collapse; margin: 1em 0; font-size: 13px; font-variant-numeric: tabular-nums; }
            th, td { padding: .25em .6em; border-bottom: 1px solid #ddd; text-align: right; vertical-align: top; }
            th { background: #f4f4f4; } th:first-child, td:first-child, .text th, .text td { text-align: left; }
            .bad { color: #b00020; font-weight: bold; } .note { color: #555; font-size: 13px; }
            img { max-width: 100%; } .scroll { overflow-x: auto; }
            """;

    private final StringBuilder body = new StringBuilder();

    Html heading(final int level, final String text) {
        body.append(String.format(Locale.ROOT, "<h%d>%s</h%d>\n", level, escape(text), level));
        return this;
    }

    Html paragraph(final String text) {
        return paragraph("", text);
    }

    Html note(final String text) {
        return paragraph("note", text);
    }

    private Html paragraph(final String kind, final String text) {
        body.append("<p class=\"")
                .append(kind)
                .append("\">")
                .append(escape(text))
                .append("</p>\n");
        return this;
    }

    /** As {@link Plot} makes it. */
    Html plot(final String image) {
        body.append(image);
        return this;
    }

    /** Of figures: first column to the left, others to the right. */
    Html table(final List<String> heads, final List<List<String>> rows) {
        return table("", heads, rows);
    }

    /** Of sentences. */
    Html textTable(final List<String> heads, final List<List<String>> rows) {
        return table("text", heads, rows);
    }

    private Html table(final String kind, final List<String> heads, final List<List<String>> rows) {
        if (rows.isEmpty()) {
            return note("Not measured yet.");
        }
        body.append("<div class=\"scroll\"><table class=\"").append(kind).append("\">\n<tr>");
        heads.forEach(head -> body.append("<th>").append(escape(head)).append("</th>"));
        body.append("</tr>\n");
        for (final List<String> row : rows) {
            body.append("<tr>");
            for (final String cell : row) {
                body.append(isBad(cell) ? "<td class=\"bad\">" : "<td>")
                        .append(escape(cell))
                        .append("</td>");
            }
            body.append("</tr>\n");
        }
        body.append("</table></div>\n");
        return this;
    }

    private static boolean isBad(final String cell) {
        return cell.startsWith("DIFFER");
    }

    String page(final String title) {
        return "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>" + escape(title)
                + "</title>\n<style>\n" + STYLE + "</style></head>\n<body>\n" + body + "</body>\n</html>\n";
    }

    static String escape(final String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }

    /** Three significant digits and the spread: {@code 1.23 ± 0.04}. */
    static String shown(final Spread spread) {
        return spread.isEmpty() ? "–" : shown(spread.mean()) + " ± " + shown(spread.deviation());
    }

    static String shown(final double value) {
        if (Double.isNaN(value) || Double.isInfinite(value)) {
            return "–";
        }
        final double size = Math.abs(value);
        return String.format(
                Locale.ROOT,
                size >= 100 || value == 0 ? "%,.0f" : size >= 10 ? "%.1f" : size >= 0.095 ? "%.2f" : "%.3f",
                value);
    }

    /** A part of one: {@code 12.3 %}. */
    static String percent(final double part) {
        return !Double.isFinite(part) ? "–" : String.format(Locale.ROOT, "%.1f %%", 100 * part);
    }
}
