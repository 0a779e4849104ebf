/**
 * The figures: guests under load, replicated in one mode after another and not at all, measured in windows of time, every sample
 * kept, and shown beside what the papers claim.
 */
package org.resilire.testbed.evaluate;
