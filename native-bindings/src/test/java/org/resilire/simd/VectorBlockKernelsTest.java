package org.resilire.simd;

class VectorBlockKernelsTest extends BlockKernelsContract {
    @Override
    BlockKernels kernels() {
        return new VectorBlockKernels();
    }
}
