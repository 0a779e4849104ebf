package org.resilire.testbed.evaluate;

/** A question and the measurements that answer it. */
interface Experiment {

    /** For {@code --only}, and in the results. */
    String name();

    /** One line for people. */
    String title();

    /** Measures every point that the results do not have yet. */
    void run(Evaluation evaluation);
}
