package org.resilire.cli;

/** A configuration file cannot be used. The message says where and why. */
final class ConfigurationException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    ConfigurationException(final String message) {
        super(message);
    }
}
