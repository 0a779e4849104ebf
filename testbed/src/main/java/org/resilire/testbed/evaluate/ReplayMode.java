package org.resilire.testbed.evaluate;

import java.util.List;

/**
 * What input replay is compared with, and itself.
 *
 * @param name in the results
 * @param title for people
 * @param options of {@code resilire protect}
 */
record ReplayMode(String name, String title, List<String> options) {

    static final ReplayMode REMUS = new ReplayMode("remus", "Remus", List.of("--mode", "remus"));
    static final ReplayMode FGBI = new ReplayMode("fgbi", "FGBI", List.of());
    static final ReplayMode LLM = new ReplayMode("llm", "LLM", List.of("--mode", "llm"));

    /** The order is that of the reports. */
    static final List<ReplayMode> ALL = List.of(REMUS, FGBI, LLM);

    static ReplayMode named(final String name) {
        return ALL.stream()
                .filter(mode -> mode.name.equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no mode '" + name + "'"));
    }
}
