package org.resilire.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.StructLayout;

/** {@code linux/userfaultfd.h}. */
final class UserFaultFdAbi {
    static final long UFFD_API = 0xaa;
    static final long UFFD_USER_MODE_ONLY = 1;
    static final long UFFD_FEATURE_WP_HUGETLBFS_SHMEM = 1L << 12;
    static final long UFFD_FEATURE_WP_UNPOPULATED = 1L << 13;
    static final long UFFD_FEATURE_WP_ASYNC = 1L << 15;
    static final long UFFDIO_REGISTER_MODE_WP = 1L << 1;
    static final long UFFDIO_WRITEPROTECT_MODE_WP = 1L;
    static final int NUMBER_WRITEPROTECT = 0x06;

    private static final int TYPE = 0xaa;

    static final StructLayout UFFDIO_API_STRUCT = MemoryLayout.structLayout(
                    JAVA_LONG.withName("api"), JAVA_LONG.withName("features"), JAVA_LONG.withName("ioctls"))
            .withName("uffdio_api");
    static final long API_FEATURES = UFFDIO_API_STRUCT.byteOffset(PathElement.groupElement("features"));

    static final StructLayout UFFDIO_RANGE = MemoryLayout.structLayout(
                    JAVA_LONG.withName("start"), JAVA_LONG.withName("len"))
            .withName("uffdio_range");
    static final long RANGE_LEN = UFFDIO_RANGE.byteOffset(PathElement.groupElement("len"));

    static final StructLayout UFFDIO_REGISTER_STRUCT = MemoryLayout.structLayout(
                    UFFDIO_RANGE.withName("range"), JAVA_LONG.withName("mode"), JAVA_LONG.withName("ioctls"))
            .withName("uffdio_register");
    static final long REGISTER_MODE = UFFDIO_REGISTER_STRUCT.byteOffset(PathElement.groupElement("mode"));
    static final long REGISTER_IOCTLS = UFFDIO_REGISTER_STRUCT.byteOffset(PathElement.groupElement("ioctls"));

    static final StructLayout UFFDIO_WRITEPROTECT_STRUCT = MemoryLayout.structLayout(
                    UFFDIO_RANGE.withName("range"), JAVA_LONG.withName("mode"))
            .withName("uffdio_writeprotect");
    static final long WRITEPROTECT_MODE = UFFDIO_WRITEPROTECT_STRUCT.byteOffset(PathElement.groupElement("mode"));

    static final long UFFDIO_API = Ioctl.iowr(TYPE, 0x3f, UFFDIO_API_STRUCT.byteSize());
    static final long UFFDIO_REGISTER = Ioctl.iowr(TYPE, 0x00, UFFDIO_REGISTER_STRUCT.byteSize());
    static final long UFFDIO_UNREGISTER = Ioctl.ior(TYPE, 0x01, UFFDIO_RANGE.byteSize());
    static final long UFFDIO_WRITEPROTECT =
            Ioctl.iowr(TYPE, NUMBER_WRITEPROTECT, UFFDIO_WRITEPROTECT_STRUCT.byteSize());

    private UserFaultFdAbi() {}
}
