package org.resilire.simd;

/** The choice behind {@link BlockKernels#preferred}. */
final class PreferredKernels {
    static final BlockKernels INSTANCE = choose(
            ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent(),
            System.getProperty("java.vm.info", ""),
            System.getProperty("java.vm.name", ""));

    private PreferredKernels() {}

    static BlockKernels choose(boolean modulePresent, String vmInfo, String vmName) {
        if (!modulePresent) {
            return new ScalarBlockKernels("no SIMD: start java with --add-modules jdk.incubator.vector");
        }
        if (vmInfo.contains("interpreted mode") || !vmName.contains("Server")) {
            return new ScalarBlockKernels("no SIMD: this JVM has no C2 compiler (" + vmName + ", " + vmInfo + ")");
        }
        // Only from here on may the class be touched that needs the module.
        if (!VectorBlockKernels.isSupported()) {
            return new ScalarBlockKernels("no SIMD: " + VectorBlockKernels.unsupportedReason());
        }
        return new VectorBlockKernels();
    }
}
