/**
 * Clients that remember every answer they got and check in the end that all of them are still true. Runs as a process of its
 * own in the client's namespace, since a thread cannot leave the namespace of its process; {@link
 * org.resilire.testbed.load.LoadProcess} is the other end.
 */
package org.resilire.testbed.load;
