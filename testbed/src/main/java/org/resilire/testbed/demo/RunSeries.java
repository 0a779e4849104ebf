package org.resilire.testbed.demo;

import java.util.Map;

/** What many failovers showed. */
interface RunSeries {

    /** How many were made. */
    int repeats();

    /** How many kept every promise. */
    int succeeded();

    /** Of the figures, by their names. */
    Map<String, Distribution> distributions();
}
