package org.resilire.linux;

/** This kernel, or its configuration, lacks something that was asked for; {@link #feature()} is its name in the kernel's headers. */
public final class MissingKernelFeatureException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String feature;

    public MissingKernelFeatureException(String feature, String advice) {
        super("this kernel lacks " + feature + "; " + advice);
        this.feature = feature;
    }

    public String feature() {
        return feature;
    }
}
