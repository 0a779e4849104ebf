package org.resilire.codec;

import net.jpountz.lz4.LZ4Factory;

/** The LZ4 library: native code, or Java where that does not load. */
final class Lz4 {

    static final LZ4Factory FACTORY = LZ4Factory.fastestInstance();

    private Lz4() {}
}
