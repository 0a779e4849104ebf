package org.resilire.guest.tracking;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.LongSupplier;
import org.resilire.guest.AttachException;
import org.resilire.guest.AttachProblem;
import org.resilire.guest.DirtyTracker;
import org.resilire.linux.Capability;
import org.resilire.linux.Errno;
import org.resilire.linux.LinuxException;
import org.resilire.linux.MissingKernelFeatureException;
import org.resilire.linux.PageMap;
import org.resilire.linux.SoftDirty;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Chooses the best dirty tracker that works for a guest, and says which one and why not the better ones. */
public final class DirtyTrackerProbe {

    private static final Logger LOGGER = LoggerFactory.getLogger(DirtyTrackerProbe.class);

    /** A mechanism that may or may not work here. */
    interface Candidate {
        TrackerChoice choice();

        /** Opens it, or throws if it does not work here. */
        DirtyTracker open() throws UnavailableException;
    }

    /** A mechanism does not work here; the message says why, as half a sentence. */
    static final class UnavailableException extends Exception {
        private static final long serialVersionUID = 1L;

        UnavailableException(final String why) {
            super(why);
        }

        UnavailableException(final String why, final Throwable cause) {
            super(why, cause);
        }
    }

    /**
     * What was chosen.
     *
     * @param reason one line: the mechanism, and for every better one why it was not taken
     */
    public record Result(DirtyTracker tracker, String reason) {}

    private DirtyTrackerProbe() {}

    /**
     * Opens a tracker.
     *
     * @param scanThreads that look for written pages, the collecting one included; without effect if every page is compared
     * @param pageCount of the guest's RAM
     * @param pauseNumber which pause of the guest this is, 0 while it runs; asked by the collecting thread
     * @throws AttachException if the forced choice does not work here, or another agent tracks this guest
     */
    public static Result open(
            final TrackerChoice choice,
            final int scanThreads,
            final RamMapping ram,
            final long pageCount,
            final LongSupplier pauseNumber) {
        return choose(
                choice,
                List.of(
                        new WriteProtectCandidate(ram, scanThreads),
                        new SoftDirtyCandidate(ram, scanThreads, pauseNumber),
                        new CompareCandidate(pageCount)));
    }

    /** Takes the first candidate that works, best first; or the forced one. */
    static Result choose(final TrackerChoice choice, final List<Candidate> candidates) {
        final StringBuilder rejected = new StringBuilder();
        for (final Candidate candidate : candidates) {
            if (choice != TrackerChoice.AUTO && choice != candidate.choice()) {
                continue;
            }
            try {
                final DirtyTracker tracker = candidate.open();
                final String how = choice == TrackerChoice.AUTO ? "" : " (as configured)";
                final Result result = new Result(tracker, tracker.mechanism() + how + rejected);
                report(result, rejected.length() > 0);
                return result;
            } catch (final UnavailableException e) {
                if (choice != TrackerChoice.AUTO) {
                    throw new AttachException(
                            AttachProblem.TRACKER_UNAVAILABLE,
                            "tracker " + choice.optionName() + " does not work here: " + e.getMessage(),
                            e);
                }
                rejected.append("; not ")
                        .append(candidate.choice().optionName())
                        .append(": ")
                        .append(e.getMessage());
            }
        }
        throw new AttachException(AttachProblem.TRACKER_UNAVAILABLE, "no dirty tracker works here" + rejected);
    }

    private static void report(final Result result, final boolean isSecondBest) {
        if (isSecondBest) {
            LOGGER.warn("Dirty tracker: {}", result.reason());
        } else {
            LOGGER.info("Dirty tracker: {}", result.reason());
        }
    }

    private record WriteProtectCandidate(RamMapping ram, int scanThreads) implements Candidate {

        @Override
        public TrackerChoice choice() {
            return TrackerChoice.WRITE_PROTECT;
        }

        @Override
        public DirtyTracker open() throws UnavailableException {
            try {
                if (!PageMap.isPagemapScanSupported()) {
                    throw new UnavailableException("the kernel lacks PAGEMAP_SCAN (Linux 6.7 or newer has it)");
                }
                return WriteProtectTracker.open(ram, scanThreads);
            } catch (final MissingKernelFeatureException e) {
                throw new UnavailableException(e.getMessage(), e);
            } catch (final LinuxException e) {
                if (e.errno() == Errno.EBUSY) {
                    throw alreadyTracked(e);
                }
                throw unavailable(e);
            }
        }

        private AttachException alreadyTracked(final LinuxException e) {
            return new AttachException(
                    AttachProblem.ALREADY_TRACKED,
                    "another process tracks the writes of QEMU (process " + ram.pid()
                            + "): end the other agent that protects this guest first",
                    e);
        }

        private static UnavailableException unavailable(final LinuxException e) {
            if (e.errno() == Errno.EPERM || e.errno() == Errno.EACCES) {
                final String missing = Capability.isEffective(Capability.CAP_SYS_PTRACE)
                        ? "a security policy forbids it"
                        : "this process lacks CAP_SYS_PTRACE (run as root, or grant it with setcap)";
                return new UnavailableException(e.getMessage() + ": " + missing, e);
            }
            return new UnavailableException(e.getMessage(), e);
        }
    }

    private record SoftDirtyCandidate(RamMapping ram, int scanThreads, LongSupplier pauseNumber) implements Candidate {

        private static final Path SWAPS = Path.of("/proc/swaps");

        @Override
        public TrackerChoice choice() {
            return TrackerChoice.SOFT_DIRTY;
        }

        @Override
        public DirtyTracker open() throws UnavailableException {
            try {
                if (!SoftDirty.isSupported()) {
                    throw new UnavailableException("the kernel lacks soft-dirty bits (CONFIG_MEM_SOFT_DIRTY)");
                }
                if (isSwapInUse()) {
                    throw new UnavailableException("swapping loses soft-dirty bits of shared memory (swapoff -a)");
                }
                return SoftDirtyTracker.open(ram, scanThreads, pauseNumber);
            } catch (final LinuxException e) {
                throw new UnavailableException(e.getMessage(), e);
            }
        }

        private static boolean isSwapInUse() {
            try {
                // The first line is a heading.
                return Files.readAllLines(SWAPS).size() > 1;
            } catch (final IOException e) {
                LOGGER.debug("Cannot read {}: assuming swap", SWAPS, e);
                return true;
            }
        }
    }

    private record CompareCandidate(long pageCount) implements Candidate {

        @Override
        public TrackerChoice choice() {
            return TrackerChoice.COMPARE;
        }

        @Override
        public DirtyTracker open() {
            return new ComparingTracker(pageCount);
        }
    }
}
