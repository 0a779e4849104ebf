package org.resilire.codec;

import java.lang.foreign.MemorySegment;

/** Checks a whole batch of page records before any of it is believed. Stateless; any thread. */
public final class PageBatchValidator {

    private final long pageCount;

    /** @param pageCount pages of the replica; every record must name one of them */
    public PageBatchValidator(final long pageCount) {
        this.pageCount = pageCount;
    }

    /**
     * Accepts {@code recordCount} records that fill exactly {@code lengthBytes} from {@code offset}.
     *
     * @throws MalformedBatchException naming the first record that is wrong
     */
    public void validate(final MemorySegment batch, final long offset, final long lengthBytes, final int recordCount) {
        if (recordCount < 0 || offset < 0 || lengthBytes < 0 || lengthBytes > batch.byteSize() - offset) {
            throw new MalformedBatchException(recordCount + " records of " + lengthBytes + " bytes at " + offset
                    + " cannot be in " + batch.byteSize() + " bytes");
        }
        final long end = offset + lengthBytes;
        long at = offset;
        for (int i = 0; i < recordCount; i++) {
            if (end - at < PageRecord.HEADER_BYTES) {
                throw new MalformedBatchException("record " + i + " of " + recordCount + " is cut off");
            }
            final long page = PageRecord.page(batch, at);
            final long mask = PageRecord.mask(batch, at);
            final int encoding = PageRecord.encodingWord(batch, at);
            if (page >= pageCount) {
                throw new MalformedBatchException("record " + i + " names page " + page + " of " + pageCount);
            }
            final boolean known = encoding == PageRecord.BLOCKS ? mask != 0 : encoding == PageRecord.ZERO && mask == 0;
            if (!known) {
                throw new MalformedBatchException(
                        "record " + i + " has encoding " + encoding + " with block mask " + Long.toHexString(mask));
            }
            at += PageRecord.lengthBytes(mask);
            if (at > end) {
                throw new MalformedBatchException("the blocks of record " + i + " reach beyond the batch");
            }
        }
        if (at != end) {
            throw new MalformedBatchException(end - at + " bytes follow the last record");
        }
    }
}
