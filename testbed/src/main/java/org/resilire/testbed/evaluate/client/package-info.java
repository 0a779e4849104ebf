/**
 * The clients of an evaluation: closed loops over many connections, which measure instead of remembering every answer as those
 * of the demonstration do. Run as a process in the client's namespace; {@link
 * org.resilire.testbed.evaluate.client.ClientProcess} is the other end.
 */
package org.resilire.testbed.evaluate.client;
