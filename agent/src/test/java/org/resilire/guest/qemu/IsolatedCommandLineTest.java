package org.resilire.guest.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.resilire.guest.GuestException;

class IsolatedCommandLineTest {

    private static final Path REPLICA = Path.of("/dev/shm/db.ram");
    private static final Path COPY = Path.of("/dev/shm/copy/ram");
    private static final Path DIRECTORY = Path.of("/dev/shm/copy");

    private static List<String> words(final String more) {
        final List<String> words = new ArrayList<>(List.of(("qemu-system-x86_64 -name db"
                        + " -machine q35,memory-backend=ram0,suppress-vmdesc=on -m 1G"
                        + " -object memory-backend-file,id=ram0,size=1G,mem-path=/dev/shm/db.ram,share=on -nodefaults")
                .split(" ")));
        if (!more.isEmpty()) {
            words.addAll(List.of(more.split(" ")));
        }
        return words;
    }

    private static List<String> isolated(final String more) {
        return IsolatedCommandLine.of(words(more), REPLICA, COPY, DIRECTORY);
    }

    @Test
    void shouldPutTheCopyInTheReplicasPlaceAndChangeNothingElse() {
        final List<String> expected = new ArrayList<>(words(""));
        expected.replaceAll(word -> word.replace("/dev/shm/db.ram", "/dev/shm/copy/ram"));
        assertEquals(expected, isolated(""));
    }

    @Test
    void shouldGiveNetworkDevicesNothingAtTheOtherEnd() {
        final List<String> words = isolated(
                "-netdev dgram,id=n0,local.type=unix,local.path=/run/q,remote.type=unix,"
                        + "remote.path=/run/a -device virtio-net-pci,netdev=n0,mac=52:54:00:00:00:01 -netdev tap,id=n1,ifname=t");
        assertTrue(words.contains("hubport,id=n0,hubid=0"), words::toString);
        assertTrue(words.contains("hubport,id=n1,hubid=1"), words::toString);
        assertTrue(words.contains("virtio-net-pci,netdev=n0,mac=52:54:00:00:00:01"), words::toString);
        assertFalse(words.toString().contains("/run/"), words::toString);
    }

    @Test
    void shouldTakeNoSocketOrFileFromTheStandby() {
        final List<String> words = isolated(
                "-chardev socket,id=c,path=/run/c,server=on -serial chardev:c -serial unix:/run/s -parallel none"
                        + " -qmp unix:/run/q -monitor stdio -pidfile /run/p -D /var/log/q -vnc :0");
        assertFalse(words.toString().contains("/run/"), words::toString);
        assertFalse(words.toString().contains("/var/"), words::toString);
        assertTrue(words.contains("file,id=c,path=/dev/shm/copy/console-0.log"), words::toString);
        assertTrue(words.contains("chardev:c"), words::toString);
        assertTrue(words.contains("file:/dev/shm/copy/console-1.log"), words::toString);
        assertEquals(Path.of("/dev/shm/copy/console-0.log"), IsolatedCommandLine.console(DIRECTORY));
    }

    @Test
    void shouldThrowAwayWhatIsWrittenToDrives() {
        assertTrue(isolated("-drive file=/img,if=virtio").contains("-snapshot"));
        assertFalse(isolated("").contains("-snapshot"));
    }

    @Test
    void shouldKeepObjectsThatReachNothingOutside() {
        final String objects = "-object rng-random,id=r,filename=/dev/urandom -object iothread,id=i";
        assertTrue(String.join(" ", isolated(objects)).endsWith(objects));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "-drive file=/img,if=virtio,snapshot=off",
                "-device {\"driver\":\"vfio-pci\",\"host\":\"01:00.0\"}",
                "-object can-host-socketcan,id=c,if=can0,canbus=b",
                "-blockdev driver=nbd,node-name=d",
                "-device vfio-pci,host=01:00.0",
                "-device driver=vhost-vsock-pci,guest-cid=3",
                "-virtfs local,path=/srv,mount_tag=s,security_model=none",
                "-object filter-dump,id=f,netdev=n0,file=/tmp/dump",
                "-object memory-backend-file,id=nv,size=1G,mem-path=/srv/nvdimm,share=on",
                "-nic user",
                "-usbdevice tablet",
                "stray",
                "-name"
            })
    void shouldRefuseByNameWhatItDoesNotKnowToBeHarmless(final String option) {
        final GuestException e = assertThrows(GuestException.class, () -> isolated(option));
        assertTrue(e.getMessage().contains(option.split(" ", -1)[0]), e.getMessage());
    }

    @Test
    void shouldRefuseACommandLineWithoutTheReplica() {
        final GuestException e = assertThrows(
                GuestException.class,
                () -> IsolatedCommandLine.of(List.of("qemu-system-x86_64", "-m", "1G"), REPLICA, COPY, DIRECTORY));
        assertTrue(e.getMessage().contains("/dev/shm/db.ram"), e.getMessage());
    }
}
