package org.resilire.testbed.evaluate;

import java.util.Map;

/** Looks at one thing before and after a window of time. One thread. */
interface Probe {

    void begin();

    /**
     * The window is over.
     *
     * @param seconds its length
     * @param figures takes what was seen; holds what the probes before this one saw
     */
    void end(double seconds, Map<String, Double> figures);
}
