package org.resilire.cli;

import org.resilire.transport.Endpoint;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** {@code ADDRESS:PORT}. */
final class EndpointConverter implements ITypeConverter<Endpoint> {

    @Override
    public Endpoint convert(final String value) {
        try {
            final Endpoint endpoint = Endpoint.parse(value);
            if (endpoint.port() == 0) {
                throw new TypeConversionException("'" + value + "' has port 0, which the other agent could not find");
            }
            return endpoint;
        } catch (final IllegalArgumentException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }
}
