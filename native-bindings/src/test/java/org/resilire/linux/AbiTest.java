package org.resilire.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Sizes, offsets and numbers as a C compiler printed them from the headers of glibc 2.36 and Linux 6.7 on x86-64. */
class AbiTest {
    @Test
    void shouldDeriveIoctlNumbersOfTheHeaders() {
        assertEquals(0xc018aa3fL, UserFaultFdAbi.UFFDIO_API);
        assertEquals(0xc020aa00L, UserFaultFdAbi.UFFDIO_REGISTER);
        assertEquals(0x8010aa01L, UserFaultFdAbi.UFFDIO_UNREGISTER);
        assertEquals(0xc018aa06L, UserFaultFdAbi.UFFDIO_WRITEPROTECT);
        assertEquals(0xc0606610L, PageMapAbi.PAGEMAP_SCAN);
        assertEquals(0x400454caL, IfTun.TUNSETIFF);
    }

    @Test
    void shouldLayOutUserFaultFdStructs() {
        assertLayout(UserFaultFdAbi.UFFDIO_API_STRUCT, 24);
        assertEquals(8, UserFaultFdAbi.API_FEATURES);
        assertLayout(UserFaultFdAbi.UFFDIO_REGISTER_STRUCT, 32);
        assertEquals(8, UserFaultFdAbi.RANGE_LEN);
        assertEquals(16, UserFaultFdAbi.REGISTER_MODE);
        assertEquals(24, UserFaultFdAbi.REGISTER_IOCTLS);
        assertLayout(UserFaultFdAbi.UFFDIO_WRITEPROTECT_STRUCT, 24);
        assertEquals(16, UserFaultFdAbi.WRITEPROTECT_MODE);
    }

    @Test
    void shouldLayOutFileLocks() {
        assertLayout(Fcntl.FLOCK, 32);
        assertEquals(2, Fcntl.L_WHENCE);
        assertEquals(8, Fcntl.L_START);
        assertEquals(16, Fcntl.L_LEN);
    }

    @Test
    void shouldLayOutPageMapStructs() {
        assertLayout(PageMapAbi.PAGE_REGION, 24);
        assertEquals(8, PageMapAbi.REGION_END);
        assertLayout(PageMapAbi.PM_SCAN_ARG, 96);
        assertEquals(8, PageMapAbi.FLAGS);
        assertEquals(16, PageMapAbi.START);
        assertEquals(24, PageMapAbi.END);
        assertEquals(32, PageMapAbi.WALK_END);
        assertEquals(40, PageMapAbi.VEC);
        assertEquals(48, PageMapAbi.VEC_LEN);
        assertEquals(72, PageMapAbi.CATEGORY_MASK);
        assertEquals(88, PageMapAbi.RETURN_MASK);
    }

    @Test
    void shouldLayOutRegisters() {
        assertLayout(Registers.LAYOUT, 216);
        assertEquals(80, Registers.RAX);
        assertEquals(120, Registers.ORIG_RAX);
        assertEquals(128, Registers.RIP);
        assertEquals(136, Registers.CS);
        int[] arguments = {112, 104, 96, 56, 72, 64};
        String[] names = {"rdi", "rsi", "rdx", "r10", "r8", "r9"};
        for (int i = 0; i < names.length; i++) {
            assertEquals(
                    arguments[i],
                    Registers.LAYOUT.byteOffset(MemoryLayout.PathElement.groupElement(names[i])),
                    names[i]);
        }
    }

    @Test
    void shouldLayOutSocketStructs() {
        assertLayout(SysSocket.SOCKADDR_UN, 110);
        assertEquals(2, SysSocket.SUN_PATH);
        assertLayout(SysSocket.IOVEC, 16);
        assertEquals(0, SysSocket.IOV_BASE);
        assertEquals(8, SysSocket.IOV_LEN);
        assertLayout(SysSocket.MSGHDR, 56);
        assertEquals(0, SysSocket.MSG_NAME);
        assertEquals(8, SysSocket.MSG_NAMELEN);
        assertEquals(16, SysSocket.MSG_IOV);
        assertEquals(24, SysSocket.MSG_IOVLEN);
        assertEquals(48, SysSocket.MSG_FLAGS);
        assertLayout(SysSocket.MMSGHDR, 64);
        assertEquals(56, SysSocket.MSG_LEN);
    }

    @Test
    void shouldLayOutPollAndTapStructs() {
        assertLayout(SysPoll.POLLFD, 8);
        assertEquals(4, SysPoll.EVENTS);
        assertEquals(6, SysPoll.REVENTS);
        assertLayout(SysPoll.TIMESPEC, 16);
        assertEquals(8, SysPoll.TV_NSEC);
        assertLayout(IfTun.IFREQ, 40);
        assertEquals(16, IfTun.IFR_FLAGS);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "UNKNOWN")
    @SuppressWarnings("restricted")
    void shouldNameErrorsAsTheCLibraryDoes(Errno errno) throws Throwable {
        Linker linker = Linker.nativeLinker();
        // SAFETY: strerror returns a zero-terminated string of far less than a page, valid until the next call here.
        MethodHandle strerror = linker.downcallHandle(
                linker.defaultLookup().find("strerror").orElseThrow(), FunctionDescriptor.of(ADDRESS, JAVA_INT));
        MemorySegment text = (MemorySegment) strerror.invokeExact(errno.number());
        assertEquals(text.reinterpret(4096).getString(0), errno.text());
        assertEquals(errno, Errno.of(errno.number()));
    }

    @Test
    void shouldAnswerUnknownNumbers() {
        assertEquals(Errno.UNKNOWN, Errno.of(0));
        assertEquals(Errno.UNKNOWN, Errno.of(-1));
        assertEquals(Errno.UNKNOWN, Errno.of(100_000));
    }

    @Test
    void shouldUseTheNumbersOfThisArchitecture() {
        SystemCallNumbers.requireX8664();
        assertEquals(ProcessHandle.current().pid(), Unistd.syscall(SystemCallNumbers.SYS_GETPID, 0, 0, 0, 0));
        assertNotEquals(-Errno.ENOSYS.number(), Unistd.syscall(SystemCallNumbers.SYS_PIDFD_OPEN, -1, 0, 0, 0));
    }

    private static void assertLayout(StructLayout layout, long sizeBytes) {
        assertEquals(sizeBytes, layout.byteSize(), layout.name().orElseThrow());
    }
}
