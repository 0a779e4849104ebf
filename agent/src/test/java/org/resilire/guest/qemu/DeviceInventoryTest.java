package org.resilire.guest.qemu;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.resilire.guest.GuestException;

class DeviceInventoryTest {

    private static final String QTREE = """
            bus: main-system-bus
              type System
              dev: q35-pcihost, id ""
                MCFG = 2952790016 (0xb0000000)
                bus: pcie.0
                  type PCIE
                  dev: virtio-net-pci, id "net0"
                    vectors = 4 (0x4)
                    addr = 02.0
                    romfile = "efi-virtio.rom"
                    class Ethernet controller, addr 00:02.0, pci id 1af4:1000 (sub 1af4:0001)
                    bar 0: i/o at 0xc040 [0xc05f]
                    bus: virtio-bus
                      type virtio-pci-bus
                      dev: virtio-net-device, id ""
                        mac = "52:54:00:12:34:56"
                        netdev = "n0"
                        csum = true
            """;

    private static final List<String> HEAD = List.of("qemu 7.2.22", "machine pc-q35-7.2-machine", "cpus 2");

    private static DeviceInventory inventory(final List<String> head, final String qtree) {
        final List<String> lines = new ArrayList<>(head);
        lines.addAll(DeviceTree.lines(qtree));
        return DeviceInventory.parse(DeviceInventory.bounded(lines));
    }

    private static Optional<String> difference(final String changedQtree) {
        return DeviceInventory.firstDifference(inventory(HEAD, QTREE), inventory(HEAD, changedQtree));
    }

    @Test
    void shouldFindNoDifferenceInWhatTheHostOrTheGuestDecides() {
        assertEquals(
                Optional.empty(),
                difference(QTREE.replace("0xc040", "0xffff")
                        .replace("\"n0\"", "\"other\"")
                        .replace("2952790016 (0xb0000000)", "-1 (0xff)")
                        .replace("efi-virtio.rom", "/usr/share/qemu/efi-virtio.rom")
                        .replace("addr 00:02.0", "addr 05:02.0")));
    }

    @Test
    void shouldNameAMissingDevice() {
        assertEquals(
                Optional.of("standby lacks virtio-net-pci 'net0' at 00:02.0"),
                difference(QTREE.substring(0, QTREE.indexOf("      dev: virtio-net-pci"))));
    }

    @Test
    void shouldNameASurplusDevice() {
        assertEquals(
                Optional.of("standby has tpm-tis on bus main-system-bus, which the primary lacks"),
                difference(QTREE + "  dev: tpm-tis, id \"\"\n"));
    }

    @Test
    void shouldNameAPropertyThatDiffers() {
        assertEquals(
                Optional.of("virtio-net-device on bus virtio-bus has mac 52:54:00:12:34:56, on the standby"
                        + " 52:54:00:12:34:57"),
                difference(QTREE.replace("34:56", "34:57")));
        assertTrue(difference(QTREE.replace("csum = true", "csum = false"))
                .orElseThrow()
                .contains("other properties"));
    }

    @Test
    void shouldNameADeviceInAnotherSlot() {
        assertEquals(
                Optional.of("standby lacks virtio-net-pci 'net0' at 00:02.0"),
                difference(QTREE.replace("addr = 02.0", "addr = 03.0")));
    }

    @Test
    void shouldCompareVersionMachineAndCpus() {
        for (final String line : HEAD) {
            final List<String> changed = new ArrayList<>(HEAD);
            changed.set(HEAD.indexOf(line), line + "9");
            final String said = DeviceInventory.firstDifference(inventory(HEAD, QTREE), inventory(changed, QTREE))
                    .orElseThrow();
            assertTrue(said.startsWith("primary has " + line), said);
        }
    }

    @Test
    void shouldStayWithinItsBoundAndStillSeeEveryDifference() {
        final List<String> lines = new ArrayList<>(HEAD);
        for (int i = 0; i < 1000; i++) {
            lines.add("device pci-testdev bus=pci.1 addr=" + i + ".0 others=00000000");
        }
        final String text = DeviceInventory.bounded(lines);
        assertTrue(text.getBytes(UTF_8).length <= DeviceInventory.MAX_BYTES);
        lines.set(lines.size() - 1, "device other-testdev bus=pci.1 addr=999.0 others=00000000");
        final String changed = DeviceInventory.bounded(lines);
        assertNotEquals(text, changed);
        assertTrue(DeviceInventory.firstDifference(DeviceInventory.parse(text), DeviceInventory.parse(changed))
                .isPresent());
    }

    @Test
    void shouldRefuseAHostileText() {
        assertThrows(GuestException.class, () -> DeviceInventory.parse("hello"));
        assertThrows(
                GuestException.class, () -> DeviceInventory.parse("qemu " + "x".repeat(DeviceInventory.MAX_BYTES)));
        final DeviceInventory odd = DeviceInventory.parse("qemu \n\n \ndevice\ndevice \ndevice = =\n");
        assertFalse(DeviceInventory.firstDifference(odd, inventory(HEAD, QTREE)).isEmpty());
        assertFalse(DeviceInventory.firstDifference(inventory(HEAD, QTREE), odd).isEmpty());
    }
}
