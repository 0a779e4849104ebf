package org.resilire.control;

/** Tells whoever sent a command how far it is. */
@FunctionalInterface
public interface ControlProgress {

    /** One line for a person, now. Nothing happens if nobody listens any more: the command goes on. */
    void report(String line);
}
