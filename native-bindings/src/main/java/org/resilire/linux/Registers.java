package org.resilire.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;

/** The general registers of a stopped thread: {@code struct user_regs_struct} of {@code sys/user.h}, x86-64. */
public final class Registers {
    static final StructLayout LAYOUT = MemoryLayout.structLayout(
                    JAVA_LONG.withName("r15"),
                    JAVA_LONG.withName("r14"),
                    JAVA_LONG.withName("r13"),
                    JAVA_LONG.withName("r12"),
                    JAVA_LONG.withName("rbp"),
                    JAVA_LONG.withName("rbx"),
                    JAVA_LONG.withName("r11"),
                    JAVA_LONG.withName("r10"),
                    JAVA_LONG.withName("r9"),
                    JAVA_LONG.withName("r8"),
                    JAVA_LONG.withName("rax"),
                    JAVA_LONG.withName("rcx"),
                    JAVA_LONG.withName("rdx"),
                    JAVA_LONG.withName("rsi"),
                    JAVA_LONG.withName("rdi"),
                    JAVA_LONG.withName("orig_rax"),
                    JAVA_LONG.withName("rip"),
                    JAVA_LONG.withName("cs"),
                    JAVA_LONG.withName("eflags"),
                    JAVA_LONG.withName("rsp"),
                    JAVA_LONG.withName("ss"),
                    JAVA_LONG.withName("fs_base"),
                    JAVA_LONG.withName("gs_base"),
                    JAVA_LONG.withName("ds"),
                    JAVA_LONG.withName("es"),
                    JAVA_LONG.withName("fs"),
                    JAVA_LONG.withName("gs"))
            .withName("user_regs_struct");

    static final long RAX = offset("rax");
    static final long ORIG_RAX = offset("orig_rax");
    static final long RIP = offset("rip");
    static final long CS = offset("cs");
    private static final long[] ARGUMENTS = {
        offset("rdi"), offset("rsi"), offset("rdx"), offset("r10"), offset("r8"), offset("r9")
    };

    private static final long NOT_IN_A_SYSTEM_CALL = -1;
    private static final long CODE_SEGMENT_64_BIT = 0x33;

    private final MemorySegment segment = Arena.ofAuto().allocate(LAYOUT);

    /** The result of a system call that has just returned: negative errno on failure. */
    public long result() {
        return segment.get(JAVA_LONG, RAX);
    }

    public long instructionPointer() {
        return segment.get(JAVA_LONG, RIP);
    }

    public boolean is64Bit() {
        return segment.get(JAVA_LONG, CS) == CODE_SEGMENT_64_BIT;
    }

    /** Makes a copy of {@code saved} that is about to execute a system call, at most six arguments. */
    void toSystemCall(Registers saved, long instructionAddress, long number, long[] arguments) {
        segment.copyFrom(saved.segment);
        segment.set(JAVA_LONG, RIP, instructionAddress);
        segment.set(JAVA_LONG, RAX, number);
        // Otherwise the kernel would take the interrupted call for this one's and move the instruction pointer back.
        segment.set(JAVA_LONG, ORIG_RAX, NOT_IN_A_SYSTEM_CALL);
        for (int i = 0; i < arguments.length; i++) {
            segment.set(JAVA_LONG, ARGUMENTS[i], arguments[i]);
        }
    }

    long address() {
        return segment.address();
    }

    private static long offset(String register) {
        return LAYOUT.byteOffset(PathElement.groupElement(register));
    }
}
