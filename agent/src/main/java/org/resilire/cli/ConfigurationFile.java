package org.resilire.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.toml.TomlMapper;

/**
 * The TOML file: a table {@code [vm.NAME]} for each guest, whose keys are option names without dashes. One file serves all hosts;
 * each command takes the keys that it knows.
 */
final class ConfigurationFile {

    static final Path DEFAULT = Path.of("/etc/resilire/resilire.toml");

    /** Between the items of a list: white space to a command line, and in no path. */
    static final String LIST_SEPARATOR = "\n";

    private final Path path;
    private final JsonNode root;

    private ConfigurationFile(final Path path, final JsonNode root) {
        this.path = path;
        this.root = root;
    }

    static ConfigurationFile read(final Path path) {
        if (Files.isDirectory(path)) {
            throw new ConfigurationException(path + " is a directory, not a configuration file");
        }
        if (!Files.isReadable(path)) {
            throw new ConfigurationException(path + " cannot be read");
        }
        try {
            return new ConfigurationFile(path, new TomlMapper().readTree(path.toFile()));
        } catch (final JacksonException e) {
            final var location = e.getLocation();
            // What is wrong with reading the file, not with what is in it, has no line.
            final boolean hasLine = location != null && location.getLineNr() > 0;
            throw new ConfigurationException(
                    path + (hasLine ? " line " + location.getLineNr() : "") + ": " + e.getOriginalMessage());
        }
    }

    /**
     * The settings of one guest.
     *
     * @param isTableRequired whether a file without this guest is an error; otherwise it has no settings
     * @param knownKeys of all commands, with whether a list may stand there; any other key is an error that names the nearest known one
     */
    Map<String, String> settings(final String vm, final boolean isTableRequired, final Map<String, Boolean> knownKeys) {
        root.propertyNames().stream()
                .filter(name -> !name.equals("vm"))
                .findFirst()
                .ifPresent(name -> {
                    throw new ConfigurationException(
                            path + ": unknown table or key '" + name + "'; guests are tables [vm.NAME]");
                });
        final JsonNode table = root.path("vm").path(vm);
        if (table.isMissingNode()) {
            if (!isTableRequired) {
                return Map.of();
            }
            final String known = String.join(", ", root.path("vm").propertyNames());
            throw new ConfigurationException(
                    path + ": there is no table [vm." + vm + "]" + (known.isEmpty() ? "" : "; there is " + known));
        }
        if (!table.isObject()) {
            throw new ConfigurationException(path + ": [vm." + vm + "] must be a table of settings");
        }
        final Map<String, String> settings = new TreeMap<>();
        table.properties().forEach(entry -> {
            if (!knownKeys.containsKey(entry.getKey())) {
                throw new ConfigurationException(path + ": unknown key '" + entry.getKey() + "' in [vm." + vm + "]"
                        + Suggestions.nearest(entry.getKey(), knownKeys.keySet())
                                .map(key -> "; did you mean '" + key + "'?")
                                .orElse(""));
            }
            if (entry.getValue().isArray() && !knownKeys.get(entry.getKey())) {
                // Joined, a list of commands would be one whose last exit code is all that counts.
                throw new ConfigurationException(
                        path + ": '" + entry.getKey() + "' in [vm." + vm + "] takes one value, not a list");
            }
            settings.put(entry.getKey(), text(entry.getKey(), entry.getValue()));
        });
        return settings;
    }

    /** The values of one setting, by the guests that have it. */
    Map<String, String> values(final String key) {
        final Map<String, String> values = new TreeMap<>();
        root.path("vm").properties().forEach(table -> {
            if (table.getValue().has(key)) {
                values.put(table.getKey(), text(key, table.getValue().get(key)));
            }
        });
        return values;
    }

    private String text(final String key, final JsonNode value) {
        if (value.isArray()) {
            return value.valueStream().map(item -> text(key, item)).collect(Collectors.joining(LIST_SEPARATOR));
        }
        if (value.isObject() || value.isNull()) {
            throw new ConfigurationException(path + ": '" + key + "' must be a text, a number, true or false");
        }
        return value.asString();
    }
}
