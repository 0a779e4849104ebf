package org.resilire.testbed.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.resilire.testbed.lab.AgentOptions;
import org.resilire.testbed.lab.GuestConfig;
import org.resilire.testbed.lab.GuestImage;
import org.resilire.testbed.lab.GuestPrograms;
import org.resilire.testbed.lab.Lab;
import org.resilire.testbed.lab.LabDisk;
import org.resilire.testbed.lab.LabProcess;
import org.resilire.testbed.lab.StandbyQemu;
import org.resilire.testbed.lab.Takeover;
import org.resilire.testbed.lab.TakeoverMode;
import org.resilire.testbed.load.DatabaseCheck;
import org.resilire.testbed.load.LoadOptions;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * PostgreSQL and fio write to one replicated disk when its host dies. What they believe to be written goes back to the last checkpoint with
 * the rest of the guest's memory, and the disk must go back to the same instant. One failover, looked at from all sides.
 */
class DatabaseSystemTest {

    private static final String DISK = "data";
    private static final int MEMORY_MIB = 384;
    private static final int BLOCK_BYTES = 4_096;
    private static final int BLOCKS = 2_048;
    private static final int WRITES_A_SECOND = 200;
    private static final int EPOCHS_BEFORE_DEATH = 100;
    private static final Duration EPOCHS_LIMIT = Duration.ofSeconds(60);
    private static final Duration FIO_LIMIT = Duration.ofMinutes(2);
    private static final LoadOptions CLIENTS = LoadOptions.database();

    /** Past the guest's page cache. Writing takes some 10 s, long enough to be under way when the host dies. */
    private static final String JOB = """
            [verified]
            filename=/var/tmp/fio.data
            ioengine=libaio
            iodepth=8
            direct=1
            rw=randwrite
            bs=%d
            size=%d
            rate_iops=%d
            fsync=64
            verify=crc32c
            verify_fatal=1
            do_verify=1
            """.formatted(BLOCK_BYTES, BLOCKS * BLOCK_BYTES, WRITES_A_SECOND);

    private static TwoHosts hosts;
    private static LabProcess fio;
    private static Takeover takeover;

    /** Host B's disk, just after the takeover. */
    private static Path diskCopy;

    @BeforeAll
    static void failOver() throws IOException {
        final GuestPrograms programs = GuestPrograms.fromEnvironment();
        final GuestConfig config = new GuestConfig(GuestImage.fromEnvironment(), MEMORY_MIB, 1).withDisks(DISK);
        final AgentOptions options = TwoHosts.patient().withDisks(DISK);
        hosts = TwoHosts.withoutGuest("DatabaseSystemTest", config);
        LabDisk.createCopy(hosts.lab(), DISK, programs.disk());
        hosts.startPrimary(options).awaitServing();
        hosts.bootGuest();
        hosts.guest().awaitDiskReady();
        hosts.startStandby(TakeoverMode.AUTO, options);
        hosts.awaitProtected();
        hosts.startLoad(CLIENTS);
        fio = startFio(programs);
        hosts.awaitEpochs(EPOCHS_BEFORE_DEATH, EPOCHS_LIMIT);
        hosts.awaitAnswersSince(System.nanoTime());
        assertTrue(fio.isAlive(), () -> "fio ended too early" + fio.logTail() + hosts.describe());

        takeover = hosts.killHostA();
        diskCopy = hosts.lab().hostB().diskDirectory().resolve("at-failover.img");
        StandbyQemu.whileStopped(
                hosts.lab(), () -> LabDisk.copy(hosts.lab().hostB().diskImage(DISK), diskCopy));
    }

    /** Outside; the guest's fio takes the job over the network and tells how it went over the same connection. */
    private static LabProcess startFio(final GuestPrograms programs) throws IOException {
        final Lab lab = hosts.lab();
        final Path job = Files.writeString(lab.directory().resolve("verified.fio"), JOB);
        return lab.start(
                "fio",
                lab.client(),
                programs.fio(List.of(
                        "--output=" + fioOutput(),
                        "--output-format=json",
                        // What follows goes to the guest.
                        "--client=" + Lab.GUEST_ADDRESS,
                        job.toString())));
    }

    private static Path fioOutput() {
        return hosts.lab().logs().resolve("fio.json");
    }

    @AfterAll
    static void closeLab() {
        if (hosts != null) {
            hosts.close();
        }
    }

    @Test
    void shouldReadBackEveryBlockThatWasWrittenBeforeAndAfterTheFailover() throws IOException {
        fio.awaitEnd(FIO_LIMIT);
        assertEquals(0, fio.exitStatus(), () -> fio.logTail() + hosts.describe());
        final String text = Files.readString(fioOutput());
        final JsonNode job = new JsonMapper()
                .readTree(text.substring(Math.max(0, text.indexOf('{'))))
                .path("client_stats")
                .path(0);
        assertEquals(0, job.path("error").asInt(-1), job::toString);
        assertEquals(BLOCKS, job.path("write").path("total_ios").asInt(), job::toString);
        assertEquals(BLOCKS, job.path("read").path("total_ios").asInt(), job::toString);
    }

    @Test
    void shouldHaveEveryTransactionWhoseCommitWasAnsweredInTheDatabaseThatGoesOn() {
        hosts.requireNothingLost(takeover);
    }

    @Test
    void shouldHaveEveryTransactionWhoseCommitWasAnsweredOnTheDiskTakenAtTheFailover() {
        final DatabaseCheck check = new DatabaseCheck(false);
        check.run(hosts.lab(), diskCopy, CLIENTS.connections(), takeover.killedNs());
        assertEquals(List.of(), check.complaints());
        assertTrue(check.acknowledged() > 0);
        assertEquals(0, check.lost());
        assertEquals(DatabaseCheck.SOUND, check.fileSystem());
        assertEquals(DatabaseCheck.SOUND, check.amcheck());
        assertEquals(DatabaseCheck.SOUND, check.checksums());
    }
}
