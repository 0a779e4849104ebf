package org.resilire.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** Finds an instruction {@code syscall} (0f 05) in the code that the kernel maps into every process, without stopping it. */
final class VdsoSyscall {
    private static final byte FIRST = 0x0f;
    private static final byte SECOND = 0x05;
    static final int INSTRUCTION_BYTES = 2;

    private VdsoSyscall() {}

    /** Its address in the process. */
    static long find(long pid) {
        List<MemoryMaps.Mapping> mappings = MemoryMaps.of(pid);
        if (mappings.isEmpty()) {
            throw new LinuxException("read", "/proc/" + pid + "/maps", Errno.ESRCH, "the process is ending");
        }
        MemoryMaps.Mapping vdso = mappings.stream()
                .filter(mapping -> mapping.path().equals("[vdso]"))
                .findFirst()
                .orElseThrow(() -> new MissingKernelFeatureException(
                        "vdso",
                        "process " + pid + " has none to take a syscall instruction from; boot without vdso=0"));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment code = arena.allocate(vdso.lengthBytes());
            Ptrace.readMemory(pid, vdso.start(), code);
            // Where instructions begin does not matter: these two bytes are the instruction wherever one jumps to them.
            for (long i = 0; i + 1 < code.byteSize(); i++) {
                if (code.get(JAVA_BYTE, i) == FIRST && code.get(JAVA_BYTE, i + 1) == SECOND) {
                    return vdso.start() + i;
                }
            }
        }
        throw new MissingKernelFeatureException(
                "a syscall instruction in the vdso", "process " + pid + " cannot be injected into");
    }
}
