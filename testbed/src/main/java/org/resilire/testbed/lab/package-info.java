/**
 * The hosts, wires, guests and agents of the test bed: namespaces and processes of this machine.
 *
 * <pre>
 *   rsl-ID-client        rsl-ID-net          rsl-ID-a                       rsl-ID-b
 *  ┌─────────────┐      ┌─────────┐      ┌───────────────────────┐      ┌───────────────────────┐
 *  │ eth0        ├──────┤ switch0 ├──────┤ uplink ─ br0 ─ tap0   │      │ uplink ─ br0 ─ tap0   │
 *  │ 10.77.0.100 │      │         │      │      10.77.0.1    │   │      │      10.77.0.2    │   │
 *  └─────────────┘      │         ├───┐  │                 agent │      │                 agent │
 *                       └─────────┘   │  │                   │   │      │                   │   │
 *                                     │  │ guest 10.77.0.10 ─┘   │      │     standby guest ┘   │
 *                                     │  │ replica0 10.78.0.1    │      │ replica0 10.78.0.2    │
 *                                     │  └─────────┬─────────────┘      └─────┬──────────┬──────┘
 *                                     │            └──── MTU 9000 ────────────┘          │
 *                                     └──────────────────────────────────────────────────┘
 * </pre>
 */
package org.resilire.testbed.lab;
