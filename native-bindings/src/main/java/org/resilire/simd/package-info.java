/** Kernels over guest pages, written twice: plain, and with {@code jdk.incubator.vector}. */
package org.resilire.simd;
