package org.resilire.simd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(120)
class PreferredKernelsTest {
    @Test
    void shouldChooseOnce() {
        assertSame(BlockKernels.preferred(), BlockKernels.preferred());
        assertInstanceOf(VectorBlockKernels.class, BlockKernels.preferred());
        assertTrue(BlockKernels.preferred().reason().startsWith("SIMD with "));
    }

    @Test
    void shouldSayWhyThereIsNoSimd() {
        String name = "OpenJDK 64-Bit Server VM";
        assertEquals(
                "no SIMD: start java with --add-modules jdk.incubator.vector",
                PreferredKernels.choose(false, "mixed mode", name).reason());
        assertTrue(
                PreferredKernels.choose(true, "interpreted mode", name).reason().contains("no C2 compiler"));
    }

    @ParameterizedTest
    @CsvSource({"-XX:UseAVX=3", "-XX:UseAVX=2", "-XX:UseAVX=0", "-Xint"})
    void shouldAgreeWithTheScalarKernelsAtEveryVectorWidth(String flag) throws Exception {
        String said = selfCheck(flag, "--add-modules", "jdk.incubator.vector");
        assertTrue(said.endsWith("agree"), said);
        assertTrue(said.contains("-Xint".equals(flag) ? "no C2 compiler" : "SIMD with"), said);
    }

    @Test
    void shouldWorkWithoutTheModule() throws Exception {
        String said = selfCheck();
        assertTrue(said.contains("no SIMD: start java with --add-modules") && said.endsWith("agree"), said);
    }

    private static String selfCheck(String... flags) throws Exception {
        List<String> command =
                new ArrayList<>(List.of(ProcessHandle.current().info().command().orElseThrow(), "-XX:+UseSerialGC"));
        command.addAll(List.of(flags));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), KernelSelfCheck.class.getName()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try {
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            assertEquals(0, process.waitFor(), said);
            return said;
        } finally {
            process.destroyForcibly();
        }
    }
}
