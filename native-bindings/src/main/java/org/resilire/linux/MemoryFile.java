package org.resilire.linux;

import java.nio.file.Path;

/** A file that lives in memory and has no name in any directory ({@code memfd_create(2)}); gone with its last descriptor. */
public final class MemoryFile implements AutoCloseable {
    private final FileDescriptor descriptor;
    private final long lengthBytes;

    private MemoryFile(FileDescriptor descriptor, long lengthBytes) {
        this.descriptor = descriptor;
        this.lengthBytes = lengthBytes;
    }

    /** A file of zeros; the name shows in {@code /proc/PID/maps} and need not be unique. */
    public static MemoryFile create(String name, long lengthBytes) {
        String object = "memfd:" + name;
        NativeMemory.requirePositive(lengthBytes, object);
        FileDescriptor descriptor =
                FileDescriptor.adopt(MMan.memfdCreate(name, MMan.MFD_CLOEXEC), "memfd_create", object);
        int result = Unistd.ftruncate(descriptor.number(), lengthBytes);
        if (result < 0) {
            descriptor.close();
            throw LinuxException.failure(result, "ftruncate", object);
        }
        return new MemoryFile(descriptor, lengthBytes);
    }

    public FileDescriptor fileDescriptor() {
        return descriptor;
    }

    public long lengthBytes() {
        return lengthBytes;
    }

    /** The path under which this process, and others that may look into it, can open the file. */
    public Path path() {
        return Path.of("/proc/" + ProcessHandle.current().pid() + "/fd/" + descriptor.number());
    }

    /** A new shared mapping of all of it, which the caller closes; mapping and this object may be closed in any order. */
    public MappedFile map() {
        return MappedFile.mapReadWrite(path());
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
