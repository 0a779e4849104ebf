package org.resilire.control;

/** What a counter's number means. */
public enum CounterUnit {
    COUNT,
    BYTES,
    /** Elapsed time; JSON shows milliseconds with fractions. */
    NANOS,
    /** Milliseconds since 1970. */
    EPOCH_MILLIS,
    /** 0 or 1. */
    FLAG,
    /** The code of {@link AgentRole} or {@link AgentState}. */
    CODE
}
