package org.resilire.guest.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RamBlockPolicyTest {

    private static final long RAM_BYTES = 64 << 20;

    private static final String PLAIN = """
                          Block Name    PSize              Offset               Used              Total
                                ram0    4 KiB  0x0000000000000000 0x0000000004000000 0x0000000004000000
                /rom@etc/acpi/tables    4 KiB  0x00000000040c0000 0x0000000000020000 0x0000000000200000
                             pc.bios    4 KiB  0x0000000004000000 0x0000000000040000 0x0000000000040000
            0000:00:01.0/virtio-net-pci.rom    4 KiB  0x0000000004080000 0x0000000000040000 0x0000000000040000
                              pc.rom    4 KiB  0x0000000004040000 0x0000000000020000 0x0000000000020000
            """;

    private static Optional<String> objection(final String more) {
        return RamBlockPolicy.objection(RamBlockPolicy.parse(PLAIN + more), List.of("ram0"), RAM_BYTES);
    }

    private static String line(final String name) {
        return "   " + name + "    4 KiB  0x0000000005000000 0x0000000001000000 0x0000000001000000\n";
    }

    @Test
    void shouldAcceptRamAndFirmware() {
        assertEquals(6 - 1, RamBlockPolicy.parse(PLAIN).size());
        assertEquals(Optional.empty(), objection(""));
    }

    @ParameterizedTest
    @ValueSource(strings = {"vga.vram", "0000:00:02.0/vga.vram", "system.flash0", "ivshmem.bar2", "a name with spaces"})
    void shouldNameABlockThatWouldBeMissing(final String name) {
        final String objection = objection(line(name)).orElseThrow();
        assertTrue(objection.contains("RAM block " + name + " is not replicated"), objection);
    }

    @Test
    void shouldRefuseASecondBackend() {
        assertTrue(
                RamBlockPolicy.objection(RamBlockPolicy.parse(PLAIN + line("ram1")), List.of("ram0", "ram1"), RAM_BYTES)
                        .isPresent());
    }

    @Test
    void shouldRefuseAGuestWhoseRamIsNoBackend() {
        assertTrue(RamBlockPolicy.objection(RamBlockPolicy.parse(PLAIN), List.of(), RAM_BYTES)
                .isPresent());
        assertTrue(
                RamBlockPolicy.objection(List.of(), List.of("ram0"), RAM_BYTES).isPresent());
    }

    @Test
    void shouldAcceptTheCanonicalNameOfABackend() {
        assertEquals(
                Optional.empty(),
                RamBlockPolicy.objection(
                        RamBlockPolicy.parse(PLAIN.replace(" ram0 ", " /objects/ram0 ")), List.of("ram0"), RAM_BYTES));
    }
}
