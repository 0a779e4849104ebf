package org.resilire.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;

/** Gives options that were not said their values from the configuration file, so that both have the same names and meanings. */
final class ConfigurationDefaults implements IDefaultValueProvider {

    /** These choose the settings or how a command prints, or are for tests; they are not settings. */
    private static final Set<String> NOT_SETTINGS = Set.of(
            "vm",
            "config",
            "verbose",
            "json",
            "for",
            "check",
            "check-timeout",
            "arm",
            "help",
            "version",
            "no-wait",
            "timeout");

    /** Which command a guest's table is for; only 'resilire run' asks. */
    static final String ROLE = "role";

    private final Map<String, String> settings;

    private ConfigurationDefaults(final Map<String, String> settings) {
        this.settings = settings;
    }

    /** Reads the file that the arguments name, or the default one if there is one and a VM is named. */
    static ConfigurationDefaults of(final String[] arguments, final CommandLine commands) {
        final Optional<String> vm = optionValue(arguments, "--vm");
        final Optional<Path> named = optionValue(arguments, "--config").map(Path::of);
        final Optional<Path> file =
                named.or(() -> Optional.of(ConfigurationFile.DEFAULT).filter(Files::exists));
        if (vm.isEmpty() || file.isEmpty()) {
            return new ConfigurationDefaults(Map.of());
        }
        return new ConfigurationDefaults(
                ConfigurationFile.read(file.get()).settings(vm.get(), named.isPresent(), knownKeys(commands)));
    }

    private static Optional<String> optionValue(final String[] arguments, final String name) {
        for (int i = 0; i < arguments.length; i++) {
            if (arguments[i].startsWith(name + "=")) {
                return Optional.of(arguments[i].substring(name.length() + 1));
            }
            if (arguments[i].equals(name) && i + 1 < arguments.length) {
                return Optional.of(arguments[i + 1]);
            }
        }
        return Optional.empty();
    }

    /** All settings, and whether each may be a list. */
    private static Map<String, Boolean> knownKeys(final CommandLine commands) {
        final Map<String, Boolean> keys = commands.getSubcommands().values().stream()
                .flatMap(command -> command.getCommandSpec().options().stream())
                .filter(option -> !NOT_SETTINGS.contains(key(option)))
                .collect(Collectors.toMap(
                        ConfigurationDefaults::key, OptionSpec::isMultiValue, Boolean::logicalOr, TreeMap::new));
        keys.put(ROLE, false);
        return keys;
    }

    private static String key(final OptionSpec option) {
        return option.longestName().replaceFirst("^-+", "");
    }

    @Override
    public String defaultValue(final ArgSpec argument) {
        return argument instanceof OptionSpec option ? settings.get(key(option)) : null;
    }
}
