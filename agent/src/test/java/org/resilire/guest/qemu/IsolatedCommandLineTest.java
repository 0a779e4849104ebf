package org.resilire.guest.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.resilire.guest.GuestException;

class IsolatedCommandLineTest {

    private static final Path REPLICA = Path.of("/dev/shm/db.ram");
    private static final Path COPY = Path.of("/dev/shm/copy/ram");
    private static final Path DIRECTORY = Path.of("/dev/shm/copy");
    private static final Map<Path, Path> DISKS =
            Map.of(Path.of("/run/db.disks/d0.nbd"), Path.of("/dev/shm/copy/d0.nbd"));

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
        return IsolatedCommandLine.of(words(more), REPLICA, COPY, DISKS, DIRECTORY);
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

    @Test
    void shouldPutTheCopyOfADiskInTheDisksPlace() {
        final String disk = "driver=nbd,node-name=d,server.type=unix,server.path=%s,export=d0,reconnect-delay=5";
        final List<String> words = isolated(
                "-blockdev " + String.format(disk, "/run/db.disks/d0.nbd") + " -device virtio-blk-pci,drive=d");
        assertTrue(words.contains(String.format(disk, "/dev/shm/copy/d0.nbd")), words::toString);
        assertFalse(words.toString().contains("/run/"), words::toString);
        final String below =
                "driver=raw,node-name=d,file.driver=nbd,file.server.type=unix,file.export=d0,file.server.path=";
        assertTrue(isolated("-blockdev " + below + "/run/db.disks/d0.nbd").contains(below + "/dev/shm/copy/d0.nbd"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "-drive file=/img,if=virtio,snapshot=off",
                "-device {\"driver\":\"vfio-pci\",\"host\":\"01:00.0\"}",
                "-object can-host-socketcan,id=c,if=can0,canbus=b",
                "-blockdev driver=nbd,node-name=d",
                "-blockdev driver=nbd,node-name=d,server.type=unix,server.path=/run/other.nbd",
                "-blockdev driver=nbd,node-name=d,server.type=inet,server.host=10.0.0.1,server.port=10809",
                "-blockdev driver=file,node-name=d,filename=/srv/db.img",
                "-blockdev driver=raw,node-name=d,file.driver=file,file.filename=/srv/db.img",
                "-blockdev driver=qcow2,node-name=d,file=e",
                "-blockdev {\"driver\":\"null-co\",\"node-name\":\"d\"}",
                "-drive driver=nbd,file.server.path=/run/db.disks/d0.nbd",
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
                () -> IsolatedCommandLine.of(
                        List.of("qemu-system-x86_64", "-m", "1G"), REPLICA, COPY, DISKS, DIRECTORY));
        assertTrue(e.getMessage().contains("/dev/shm/db.ram"), e.getMessage());
    }
}
