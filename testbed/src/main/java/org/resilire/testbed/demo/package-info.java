/** The project's main job, shown: a guest outlives its host, and every answer that a client ever got is still true. */
package org.resilire.testbed.demo;
