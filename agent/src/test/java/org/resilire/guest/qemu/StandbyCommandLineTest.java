package org.resilire.guest.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.resilire.guest.GuestException;

class StandbyCommandLineTest {

    private static final Path QMP = Path.of("/run/s.sock");

    @Test
    void shouldAppendWhatAStandbyNeeds() {
        assertEquals(
                List.of(
                        "qemu",
                        "-m",
                        "64",
                        "-S",
                        "-incoming",
                        "defer",
                        "-global",
                        "migration.send-configuration=off",
                        "-machine",
                        "suppress-vmdesc=on",
                        "-qmp",
                        "unix:/run/s.sock,server=on,wait=off"),
                StandbyCommandLine.of(List.of("qemu", "-m", "64"), QMP));
    }

    @Test
    void shouldNotRepeatWhatIsThere() {
        final List<String> standby = StandbyCommandLine.of(
                List.of(
                        "qemu",
                        "-S",
                        "-machine",
                        "q35,suppress-vmdesc=on",
                        "-global",
                        "migration.send-configuration=off"),
                QMP);
        assertEquals(1, standby.stream().filter("-S"::equals).count());
        assertEquals(1, standby.stream().filter("-global"::equals).count());
        assertEquals(1, standby.stream().filter("-machine"::equals).count());
    }

    @Test
    void shouldRefuseWhatCannotWork() {
        for (final List<String> command :
                List.of(List.<String>of(), List.of("qemu", "-daemonize"), List.of("qemu", "--incoming", "defer"))) {
            final GuestException e = assertThrows(GuestException.class, () -> StandbyCommandLine.of(command, QMP));
            assertTrue(e.getMessage().startsWith("the standby's command line"), e.getMessage());
        }
    }
}
