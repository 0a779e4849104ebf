/** Real guests, real services and real packets around the agent, which is driven from outside, as its users drive it. */
package org.resilire.testbed;
