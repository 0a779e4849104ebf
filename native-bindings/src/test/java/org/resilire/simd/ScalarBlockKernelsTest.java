package org.resilire.simd;

class ScalarBlockKernelsTest extends BlockKernelsContract {
    @Override
    BlockKernels kernels() {
        return new ScalarBlockKernels();
    }
}
