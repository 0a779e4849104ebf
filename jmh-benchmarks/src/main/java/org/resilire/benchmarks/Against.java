package org.resilire.benchmarks;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Names the yardsticks of a benchmark: methods of the same class, run with the same parameters in the same run. The table
 * shows the yardstick's time over the benchmark's, so 1 is as fast as the yardstick and 0.5 takes twice its time.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Against {

    /** Method names. */
    String[] value();
}
