package org.resilire.disk;

/** Says whether clients may change a disk now: a standby's may not before it is the guest. Any thread. */
public final class WriteGate {

    private volatile boolean isOpen;

    private WriteGate(final boolean isOpen) {
        this.isOpen = isOpen;
    }

    /** A gate through which every change passes. */
    public static WriteGate opened() {
        return new WriteGate(true);
    }

    /** A gate through which none passes before it is opened. */
    public static WriteGate closed() {
        return new WriteGate(false);
    }

    /** Lets changes pass from here on. */
    public void open() {
        isOpen = true;
    }

    /** Refuses changes from here on; one that is under way may still take effect. */
    public void close() {
        isOpen = false;
    }

    boolean isOpen() {
        return isOpen;
    }
}
