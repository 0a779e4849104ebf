/**
 * What people and tools see of an agent: its run directory, its counters in a mapped file that any process reads without a
 * lock, its status, and a socket for commands.
 *
 * <pre>
 *   /run/resilire/demo.primary/     0700
 *     lock                          locked as long as the agent lives
 *     agent.pid                     process id and start time
 *     counters                      see CountersFile
 *     control.sock                  one JSON object a line; see ControlServer
 * </pre>
 */
package org.resilire.control;
