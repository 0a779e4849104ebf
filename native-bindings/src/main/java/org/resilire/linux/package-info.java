/**
 * Linux from Java, through {@link java.lang.foreign} alone.
 *
 * <p>Two layers. The package-private classes named after a C header hold what that header declares: functions that answer
 * as the kernel does (a negative errno, never an exception), constants under their C names, struct layouts. The public
 * classes above them own a resource each, speak Java and throw {@link org.resilire.linux.LinuxException}.
 *
 * <p>Unless a class says otherwise an instance belongs to one thread at a time, and whoever closes it has made sure that
 * no other thread is inside one of its methods: hot calls pass raw addresses, which the Java runtime does not guard.
 */
package org.resilire.linux;
