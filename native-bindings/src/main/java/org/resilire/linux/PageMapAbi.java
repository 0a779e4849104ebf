package org.resilire.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.StructLayout;

/** {@code linux/fs.h} from Linux 6.7 on: {@code PAGEMAP_SCAN}; and the bits of a {@code /proc/PID/pagemap} entry. */
final class PageMapAbi {
    static final long PAGE_IS_WPALLOWED = 1L;
    static final long PAGE_IS_WRITTEN = 1L << 1;
    static final long PM_SCAN_WP_MATCHING = 1L;
    static final long PM_SCAN_CHECK_WPASYNC = 1L << 1;
    static final long ENTRY_SOFT_DIRTY = 1L << 55;

    static final StructLayout PAGE_REGION = MemoryLayout.structLayout(
                    JAVA_LONG.withName("start"), JAVA_LONG.withName("end"), JAVA_LONG.withName("categories"))
            .withName("page_region");
    static final long REGION_END = PAGE_REGION.byteOffset(PathElement.groupElement("end"));

    static final StructLayout PM_SCAN_ARG = MemoryLayout.structLayout(
                    JAVA_LONG.withName("size"),
                    JAVA_LONG.withName("flags"),
                    JAVA_LONG.withName("start"),
                    JAVA_LONG.withName("end"),
                    JAVA_LONG.withName("walk_end"),
                    JAVA_LONG.withName("vec"),
                    JAVA_LONG.withName("vec_len"),
                    JAVA_LONG.withName("max_pages"),
                    JAVA_LONG.withName("category_inverted"),
                    JAVA_LONG.withName("category_mask"),
                    JAVA_LONG.withName("category_anyof_mask"),
                    JAVA_LONG.withName("return_mask"))
            .withName("pm_scan_arg");

    static final long FLAGS = offset("flags");
    static final long START = offset("start");
    static final long END = offset("end");
    static final long WALK_END = offset("walk_end");
    static final long VEC = offset("vec");
    static final long VEC_LEN = offset("vec_len");
    static final long CATEGORY_MASK = offset("category_mask");
    static final long RETURN_MASK = offset("return_mask");

    static final long PAGEMAP_SCAN = Ioctl.iowr('f', 16, PM_SCAN_ARG.byteSize());

    private PageMapAbi() {}

    private static long offset(String field) {
        return PM_SCAN_ARG.byteOffset(PathElement.groupElement(field));
    }
}
