package org.resilire.testbed.evaluate;

import java.util.List;

/** A question and the measurements that answer it. */
interface Experiment {

    /** For {@code --only}, and in the results. */
    String name();

    /** One line for people. */
    String title();

    /** All that it measures, in that order, without what is only there to compare with. */
    List<Point> points(EvaluationPlan plan);

    /** Measures every point that the results do not have yet. */
    void run(Evaluation evaluation);
}
