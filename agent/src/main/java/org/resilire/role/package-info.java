/** Which role an agent has, and which follows: above the two roles, which do not know of each other. */
package org.resilire.role;
