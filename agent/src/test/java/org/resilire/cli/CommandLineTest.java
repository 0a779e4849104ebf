package org.resilire.cli;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a user sees: an exit code and one line. */
class CommandLineTest {

    @TempDir
    Path directory;

    private final PrintStream out = System.out;
    private final PrintStream err = System.err;
    private final ByteArrayOutputStream said = new ByteArrayOutputStream();
    private final ByteArrayOutputStream complained = new ByteArrayOutputStream();

    @BeforeEach
    void listen() throws IOException {
        Files.write(directory.resolve("ram"), new byte[4096]);
        System.setOut(new PrintStream(said, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(complained, true, StandardCharsets.UTF_8));
    }

    @AfterEach
    void restore() {
        System.setOut(out);
        System.setErr(err);
    }

    private int run(final String... arguments) {
        said.reset();
        complained.reset();
        return Resilire.execute(arguments);
    }

    /** The only line on standard error, without the program's name. */
    private String complaint() {
        final List<String> lines = complained
                .toString(StandardCharsets.UTF_8)
                .lines()
                // An agent that starts logs besides.
                .filter(line -> !line.matches("[0-9:.]+ (INFO|WARN) .*"))
                .toList();
        assertEquals(1, lines.size(), () -> String.join("\n", lines));
        assertTrue(lines.getFirst().startsWith("resilire: "), lines::getFirst);
        return lines.getFirst().substring("resilire: ".length());
    }

    private void assertComplaint(final int exitCode, final String part, final String... arguments) {
        assertEquals(exitCode, run(arguments), () -> complained.toString(StandardCharsets.UTF_8));
        assertTrue(complaint().contains(part), this::complaint);
    }

    private String[] protect(final String... more) {
        return command(
                "protect",
                List.of(
                        "--qmp",
                        directory.resolve("qmp").toString(),
                        "--ram",
                        directory.resolve("ram").toString(),
                        "--backup",
                        "127.0.0.1:7400"),
                more);
    }

    private String[] standby(final String... more) {
        return command("standby", List.of("--listen", "127.0.0.1:7400", "--ram", "/nowhere", "--qemu", "qemu"), more);
    }

    private String[] command(final String name, final List<String> given, final String... more) {
        final List<String> all = new ArrayList<>(List.of(name, "--vm", "db"));
        all.addAll(List.of("--run-dir", directory.toString(), "--state-dir", directory.toString()));
        all.addAll(given);
        all.addAll(List.of(more));
        return all.toArray(String[]::new);
    }

    private String configuration(final String... lines) throws IOException {
        return Files.write(directory.resolve("resilire.toml"), List.of(lines)).toString();
    }

    // ---------------------------------------------------------------- options

    @ParameterizedTest
    @CsvSource({
        "--perod, --period",
        "--backups=127.0.0.1:1, --backup",
        "--on-backup-los, --on-backup-loss",
        "--vrebose, --verbose",
    })
    void shouldSuggestTheNearestOption(final String wrong, final String meant) {
        assertComplaint(
                2, "unknown option " + wrong.replaceFirst("=.*", "") + "; did you mean " + meant + "?", protect(wrong));
    }

    /** A host's file may know other guests only; that is no reason not to say how this one is. */
    @Test
    void shouldAskForATableOnlyInAFileThatWasNamed() throws IOException {
        final ConfigurationFile file = ConfigurationFile.read(Path.of(configuration("[vm.other]", "period = '20ms'")));
        assertEquals(Map.of(), file.settings("db", false, Map.of("period", false)));
        assertEquals(
                "there is no table [vm.db]; there is other",
                assertThrows(ConfigurationException.class, () -> file.settings("db", true, Map.of("period", false)))
                        .getMessage()
                        .replaceFirst(".*: ", ""));
    }

    @Test
    void shouldNotSuggestWhatIsFarAway() {
        assertComplaint(
                2,
                "unknown option --quite-something-else; see resilire protect --help",
                protect("--quite-something-else"));
    }

    @Test
    void shouldNotTellAboutOptionsThatAreForTests() {
        assertComplaint(2, "unknown option --arn;", protect("--arn"));
        assertFalse(complaint().contains("--arm"), this::complaint);
    }

    @Test
    void shouldSuggestTheNearestCommand() {
        assertComplaint(2, "unknown command 'protct'; did you mean protect?", "protct", "--vm", "db");
        assertComplaint(2, "unknown command 'xxxxxxxxxxxx'; see resilire --help", "xxxxxxxxxxxx");
    }

    @Test
    void shouldAskForACommand() {
        assertComplaint(2, "see resilire --help");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--scan-threads 0|--scan-threads must be 1 to 64, not 0",
                "--scan-threads 65|--scan-threads must be 1 to 64, not 65",
                "--capture-ahead -1|--capture-ahead must not be negative",
                "--scan-threads 2 --tracker compare|--scan-threads is of no use with --tracker compare",
                "--policy output --target-delay 5ms|--target-delay is for --policy adaptive",
                "--policy output --min-period 5ms --max-period 4ms|--min-period must not be longer than --max-period",
                "--policy output --min-period 0ms|--min-period must be at least 1ms",
                "--policy output --max-period 999us|--max-period must be at least 1ms",
                "--policy adaptive --target-delay 0ms|--target-delay must be more than 0",
                "--policy adaptive --target-overhead 0%|--target-overhead must be 0.1% to 90%",
                "--policy adaptive --target-overhead 0.05%|--target-overhead must be 0.1% to 90%",
                "--policy adaptive --target-overhead 91%|--target-overhead must be 0.1% to 90%",
                "--mode remus --identify shadow|--mode remus sends whole pages",
                "--mode remus --identify hash|--mode remus sends whole pages",
                "--mode remus --block 64|--block is of no use where whole pages are sent",
                "--release at-once|--release is for --mode llm",
                "--mode llm --policy output|with --mode llm output does not wait for checkpoints",
                "--mode llm --policy adaptive --target-delay 5ms|with --mode llm output does not wait for checkpoints",
                "--mode remus --release on-log|--release is for --mode llm",
                "--mode llm --identify page --block 64|--block is of no use where whole pages are sent",
                "--mode remus --sharing on|use --codec delta, or --sharing off",
                "--mode remus --codec lz4 --sharing on|use --codec delta, or --sharing off",
                "--identify hash --sharing on|use --identify shadow, or --sharing off",
                "--identify hash --codec delta|use --codec lz4, or --identify shadow",
                "--identify hash --codec delta+lz4|use --codec lz4, or --identify shadow",
            })
    void shouldSayWhichModesCannotBe(final String options, final String part) {
        assertComplaint(2, part, protect(options.split(" ")));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--disk d0|a disk is NAME=IMAGE",
                "--disk d0=|a disk is NAME=IMAGE",
                "--disk =/nowhere|a disk is NAME=IMAGE",
                "--disk d/0=/nowhere|cannot name a disk",
                "--disk d0=/nowhere --disk d0=/elsewhere|two --disk are named 'd0'",
                "--disk d0=/nowhere --disk d1=/x/../nowhere|two --disk use the image /x/../nowhere",
            })
    void shouldSayWhichDisksCannotBe(final String options, final String part) {
        assertComplaint(2, part, protect(options.split(" ")));
    }

    @Test
    void shouldSayThatADisksImageIsMissing() {
        assertComplaint(4, "there is no disk image /nowhere", protect("--disk", "d0=/nowhere"));
    }

    @Test
    void shouldSayWhatIsWrongWithADirectoryForSockets() throws IOException {
        final Path image = Files.write(directory.resolve("one"), new byte[4096]);
        final Path ram = directory.resolve("ram");
        assertComplaint(
                4,
                ram + ": is there already, and not what is needed there",
                protect("--disk", "d0=" + image, "--disk-socket-dir", ram.toString()));
    }

    @Test
    void shouldTakeSeveralDisksFromTheConfiguration() throws IOException {
        Files.write(directory.resolve("one"), new byte[4096]);
        final String file =
                configuration("[vm.db]", "disk = ['d0=" + directory.resolve("one") + "', 'd1=/not here.img']");
        assertComplaint(4, "there is no disk image /not here.img", protect("--config", file));
    }

    @Test
    void shouldNameWhatIsMissing() {
        assertComplaint(2, "--vm=NAME", "protect");
        assertComplaint(2, "--backup=IP:PORT", "protect", "--vm", "db", "--qmp", "/q", "--ram", "/r");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "--period|abc|'abc'",
                "--period|20|'20'",
                "--period|20 ms|'20 ms'",
                "--period|-5ms|'-5ms'",
                "--period|1.5s|'1.5s'",
                "--period|0ms|at least 1ms",
                "--period|999us|at least 1ms",
                "--period|99999999999s|'99999999999s'",
                "--period|99999999999999999999999s|'99999999999999999999999s'",
                "--detect-timeout|39ms|at least twice --detect-interval",
                "--detect-interval|0ms|--detect-interval",
                "--detect-interval|51ms|at least twice --detect-interval",
                "--mtu|100|--mtu",
                "--mtu|8193|--mtu",
                "--mtu|many|'many'",
                "--term|3M|--term",
                "--term|3G|more than 2 GiB",
                "--window|12M|--window",
                "--socket-buffer|1M|--socket-buffer",
                "--backup|here|'here'",
                "--backup|1.2.3.4|'1.2.3.4'",
                "--backup|1.2.3.4:x|'1.2.3.4:x'",
                "--backup|1.2.3.4:99999|99999",
                "--backup|1.2.3.4:0|port",
                "--backup|300.2.3.4:5|300.2.3.4",
                "--backup|host.example:5|host.example",
                "--backup|[::g]:5|'::g'",
                "--tracker|magic|magic",
                "--on-backup-loss|panic|panic",
                "--idle|never|never",
                "--verify-every|x|'x'",
                "--verify-every|-1|--verify-every",
                "--arm|everything|unknown failure point 'everything'",
                "--arm|guest-kill-before-ack@x|guest-kill-before-ack@x",
                "--vm|../db|../db",
                "--gate-size|3M|--gate-size",
                "--gate-size|32K|--gate-size",
                "--mode|magic|'magic'",
                "--identify|magic|'magic'",
                "--identify|page|that is --mode remus",
                "--block|100|64, 128 or 256",
                "--block|x|'x'",
                "--codec|zstd|'zstd' is not a codec",
                "--sharing|maybe|'maybe'",
                "--policy|hourly|'hourly'",
                "--target-delay|10ms|--target-delay is for --policy adaptive",
                "--target-overhead|10%|--target-overhead is for --policy adaptive",
                "--target-overhead|10|'10' is not a share",
                "--target-overhead|-1%|'-1%'",
                "--target-overhead|1e1%|'1e1%'",
                "--min-period|5ms|--min-period is for --policy output and adaptive",
                "--max-period|5ms|--max-period is for --policy output and adaptive",
            })
    void shouldSayWhatCannotBe(final String option, final String value, final String part) {
        final String[] nic = {"--nic-socket", "/a", "--nic-peer", "/b", "--tap", "t"};
        final List<String> all = new ArrayList<>(List.of(nic));
        all.addAll(List.of(option, value));
        // An option given twice is an error of its own.
        final List<String> arguments = new ArrayList<>(List.of(protect()));
        final int given = arguments.indexOf(option);
        if (given > 0) {
            arguments.subList(given, given + 2).clear();
        }
        arguments.addAll(all);
        assertComplaint(2, part, arguments.toArray(String[]::new));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--nic-socket /a",
                "--nic-peer /b",
                "--tap t",
                "--nic-socket /a --nic-peer /b",
                "--tap t --nic-peer /b"
            })
    void shouldAskForAllNicOptionsOrNone(final String some) {
        assertComplaint(2, "--nic-socket, --nic-peer and --tap belong together", protect(some.split(" ")));
        assertComplaint(
                2,
                "--nic-socket, --nic-peer and --tap belong together",
                command(
                        "standby",
                        List.of("--listen", "127.0.0.1:7400", "--ram", "/r", "--qemu", "q", "--no-fence"),
                        some.split(" ")));
    }

    @Test
    void shouldNotKeepAStandbyWithoutAFenceUnlessTold() {
        assertComplaint(2, "say --no-fence", standby());
        assertComplaint(2, "exclude each other", standby("--fence", "true", "--no-fence"));
        assertComplaint(2, "--fence-timeout", standby("--fence", "true", "--fence-timeout", "0s"));
        assertComplaint(2, "--fence", standby("--fence", " "));
    }

    @ParameterizedTest
    @CsvSource({"'qemu -name \"x', quote \" that is not closed", "'  ', --qemu is empty"})
    void shouldSayWhatIsWrongWithACommandLine(final String qemu, final String part) {
        assertComplaint(
                2,
                part,
                command("standby", List.of("--listen", "127.0.0.1:7400", "--ram", "/r", "--no-fence", "--qemu", qemu)));
    }

    @Test
    void shouldSetOnlyWhatIsSaid() throws IOException {
        assertComplaint(2, "there is nothing to set", "set", "--vm", "db");
        // What the agent starts with is not what it is to change to.
        final String file = configuration("[vm.db]", "period = \"20ms\"", "policy = \"output\"");
        assertComplaint(2, "there is nothing to set", "set", "--vm", "db", "--config", file);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "--period 999us|--period must be at least 1ms",
                "--max-period 0ms|--max-period must be at least 1ms",
                "--min-period 5ms --max-period 4ms|--min-period must not be longer than --max-period",
                "--target-overhead 91%|--target-overhead must be 0.1% to 90%",
                "--policy hourly|'hourly'",
                "--block 100|64, 128 or 256",
                "--codec zstd|'zstd' is not a codec",
                "--mode magic|'magic'",
                "--mode llm|--mode llm cannot begin while an agent runs",
                "--period 5ms --timeout 0s|--timeout must be at least 1ms",
            })
    void shouldSayWhatCannotBeSet(final String options, final String part) {
        final List<String> arguments = new ArrayList<>(List.of("set", "--vm", "db"));
        arguments.addAll(List.of("--run-dir", directory.toString()));
        arguments.addAll(List.of(options.split(" ")));
        assertComplaint(2, part, arguments.toArray(String[]::new));
    }

    // ---------------------------------------------------------------- configuration file

    @Test
    void shouldSuggestTheNearestKey() throws IOException {
        final String file = configuration("[vm.db]", "perid = \"20ms\"");
        assertComplaint(3, "unknown key 'perid' in [vm.db]; did you mean 'period'?", protect("--config", file));
        assertTrue(complaint().startsWith(file), this::complaint);
        assertComplaint(3, "unknown key 'arm'", protect("--config", configuration("[vm.db]", "arm = \"x\"")));
        assertComplaint(3, "unknown key 'vm'", protect("--config", configuration("[vm.db]", "vm = \"x\"")));
    }

    @Test
    void shouldRefuseAListWhereOneValueIsMeant() throws IOException {
        // Joined, only the last command's exit code would be the proof that the other host is off.
        assertComplaint(
                3,
                "'fence' in [vm.db] takes one value, not a list",
                protect("--config", configuration("[vm.db]", "fence = [\"power-off a\", \"true\"]")));
        assertComplaint(
                3,
                "'no-fence' in [vm.db] takes one value, not a list",
                standby("--config", configuration("[vm.db]", "no-fence = []")));
    }

    @Test
    void shouldNameTheTablesThatThereAre() throws IOException {
        final String file = configuration("[vm.web]", "period = \"20ms\"", "[vm.mail]");
        assertComplaint(3, "there is no table [vm.db]; there is web, mail", protect("--config", file));
        assertComplaint(3, "there is no table [vm.db]", protect("--config", configuration("")));
        assertComplaint(3, "unknown table or key 'vms'", protect("--config", configuration("[vms.db]")));
    }

    @Test
    void shouldNameTheLineOfASyntaxError() throws IOException {
        final String file = configuration("[vm.db]", "period = \"20ms\"", "tracker = = 5");
        assertComplaint(3, file + " line 3: ", protect("--config", file));
        assertComplaint(3, " line 2: ", protect("--config", configuration("[vm.db]", "period = \"20ms", "")));
    }

    @Test
    void shouldRefuseWhatIsNoSetting() throws IOException {
        assertComplaint(3, "[vm.db]", protect("--config", configuration("vm.db = 5")));
        assertComplaint(3, "'period' must be", protect("--config", configuration("[vm.db]", "period = {a = 1}")));
        assertComplaint(
                3,
                "cannot be read",
                protect("--config", directory.resolve("missing").toString()));
        assertComplaint(
                3, directory + " is a directory, not a configuration file", protect("--config", directory.toString()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"maybe\"", "\"\"", "1", "\"yes\""})
    void shouldTakeNothingButTrueAndFalseForAFlag(final String value) throws IOException {
        for (final String flag : List.of("no-fence", "encoder-thread")) {
            final String file = configuration("[vm.db]", flag + " = " + value);
            assertComplaint(2, "'--" + flag + "': '", standby("--config", file));
            assertComplaint(2, "'--" + flag + "': '", protect("--config", file));
        }
    }

    @Test
    void shouldRunOnlyGuestsWhoseTablesSayWhatTheirAgentIs() throws IOException {
        assertComplaint(2, "role", "run", "--config", configuration("[vm.db]", "period = \"5ms\""));
        assertComplaint(2, "not \"primary\"", "run", "--config", configuration("[vm.db]", "role = \"primary\""));
        final String file = configuration("[vm.db]", "role = \"protect\"", "[vm.web]", "period = \"5ms\"");
        assertComplaint(2, "[vm.db]", "run", "--config", file);
        assertComplaint(2, "[vm.web]", "run", "--config", file, "--vm", "web");
        assertComplaint(3, "[vm.mail]", "run", "--config", file, "--vm", "mail");
        assertComplaint(3, "'roles'", "run", "--config", configuration("[vm.db]", "role = \"protect\"", "roles = 1"));
        assertComplaint(
                3,
                "cannot be read",
                "run",
                "--config",
                directory.resolve("missing").toString());
    }

    @Test
    void shouldTakeSettingsFromTheFile() throws IOException {
        final String file = configuration("[vm.db]", "period = \"never\"");
        assertComplaint(2, "'never'", protect("--config", file));
        // The agent comes as far as looking for its guest.
        final String whole = configuration(
                "[vm.db]",
                "qmp = \"" + directory.resolve("from-file") + "\"",
                "ram = \"" + directory.resolve("ram") + "\"",
                "backup = \"127.0.0.1:7400\"",
                "gate-size = 1048576",
                "verify-every = 5");
        assertComplaint(5, "from-file", command("protect", List.of("--config", whole)));
    }

    @Test
    void shouldLetOptionsOverrideTheFile() throws IOException {
        final String file = configuration("[vm.db]", "qmp = \"/from-file\"", "period = \"never\"", "mtu = 5");
        assertComplaint(
                5, directory.resolve("qmp").toString(), protect("--config", file, "--period", "20ms", "--mtu", "8192"));
    }

    @Test
    void shouldUnderstandNoFenceOfTheFileAndOfTheCommandLineAlike() throws IOException {
        final String file = configuration("[vm.db]", "no-fence = true");
        final String[] badNic = {"--config", file, "--tap", "t"};
        // Past the question of fencing, the next mistake is found.
        assertComplaint(2, "belong together", standby(badNic));
        assertComplaint(2, "belong together", standby("--config", file, "--tap", "t", "--no-fence"));
        final String without = configuration("[vm.db]", "no-fence = false");
        assertComplaint(2, "say --no-fence", standby("--config", without));
        assertComplaint(2, "belong together", standby("--config", without, "--no-fence", "--tap", "t"));
    }

    // ---------------------------------------------------------------- exit codes

    @Test
    void shouldDocumentEveryExitCode() {
        assertEquals(0, run("--help"));
        final String help = said.toString(StandardCharsets.UTF_8);
        assertAll(java.util.stream.IntStream.of(0, 1, 2, 3, 4, 5, 6, 7, 70, 130)
                .mapToObj(code -> () -> assertTrue(
                        help.lines().anyMatch(line -> line.strip().startsWith(code + " ")), "exit code " + code)));
        for (final String command : List.of(
                "run",
                "protect",
                "standby",
                "status",
                "verify",
                "pause",
                "resume",
                "detach",
                "set",
                "failover",
                "switchover",
                "test-failover")) {
            assertEquals(0, run(command, "--help"));
            assertTrue(said.toString(StandardCharsets.UTF_8).contains("Example"), command);
        }
        assertEquals(0, run("--version"));
    }

    @Test
    void shouldExitWith7WhereNoAgentIs() {
        for (final String command : List.of(
                "status", "verify", "pause", "resume", "detach", "set", "failover", "switchover", "test-failover")) {
            final List<String> arguments = new ArrayList<>(List.of(command, "--vm", "db"));
            arguments.addAll(List.of("--run-dir", directory.toString()));
            if (command.equals("set")) {
                arguments.addAll(List.of("--period", "10ms"));
            }
            assertEquals(7, run(arguments.toArray(String[]::new)), command);
            assertTrue(complaint().contains(directory.toString()), this::complaint);
        }
    }

    @Test
    void shouldExitWith5WhereNoGuestIs() {
        assertComplaint(5, directory.resolve("qmp").toString(), protect());
    }

    @Test
    void shouldExitWith4WhereTheRecordIsDamaged() throws IOException {
        Files.writeString(directory.resolve("db.record"), "generation=?");
        assertComplaint(4, "db.record is damaged; find out which host runs the guest", protect());
    }

    @Test
    void shouldShowAStackTraceOnlyIfAsked() {
        assertEquals(5, run(protect("--verbose")));
        assertTrue(complained.toString(StandardCharsets.UTF_8).contains("\tat org.resilire."));
    }
}
