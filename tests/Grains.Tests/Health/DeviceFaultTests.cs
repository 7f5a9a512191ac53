using Detection.Grains.Health;

namespace Detection.Grains.Tests.Health;

public sealed class DeviceFaultTests
{
    // Messages as they stand in public reports: microsoft/onnxruntime #26312, #2963, triton-inference-server/server #3627, #5765,
    // blakeblackshear/frigate #6066.
    [Theory]
    [InlineData("CUDA failure 700: an illegal memory access was encountered ; GPU=0 ; hostname=node ; expr=cudaStreamSynchronize(stream);")]
    [InlineData("CUDA failure 77: an illegal memory access was encountered ; GPU=0 ; hostname=node ; expr=cudaEventDestroy(read_event_);")]
    [InlineData("CUDA failure 719: unspecified launch failure ; GPU=0 ; hostname=node")]
    [InlineData("CUDA failure 999: unknown error ; GPU=0 ; hostname=node")]
    [InlineData("CUDA failure 214: uncorrectable ECC error encountered ; GPU=0")]
    [InlineData("CUDA error(700), an illegal memory access was encountered.")]
    [InlineData("CUDA error cudaErrorIllegalAddress:an illegal memory access was encountered")]
    [InlineData("pinned input buffer H2D: failed to perform CUDA copy: device-side assert triggered")]
    [InlineData("Failed to capture elapsed time: Internal - Failed to capture elapsed time: an illegal memory access was encountered")]
    public void NeedsNewProcess_of_a_lasting_error_is_true(string message)
    {
        Assert.True(DeviceFault.NeedsNewProcess(new InvalidOperationException(message)));
        Assert.True(DeviceFault.NeedsNewProcess(new InvalidOperationException("The run failed.", new InvalidOperationException(message))));
    }

    // hacksider/Deep-Live-Cam #1738, microsoft/onnxruntime #16307: a new session repairs these.
    [Theory]
    [InlineData("bfc_arena.cc:359 Failed to allocate memory for requested buffer of size 8388608")]
    [InlineData("CUDA failure 2: out of memory ; GPU=0 ; hostname=node-700 ; expr=cudaMalloc((void**)&p, size);")]
    [InlineData("CUDNN failure 4000: CUDNN_STATUS_INTERNAL_ERROR ; GPU=0 ; hostname=node")]
    [InlineData("CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0 ; hostname=node")]
    [InlineData("Non-zero status code returned while running Conv node. Name:'Conv_999' Status Message: 700")]
    [InlineData("Cannot allocate memory")]
    public void NeedsNewProcess_of_an_error_that_a_reload_repairs_is_false(string message) =>
        Assert.False(DeviceFault.NeedsNewProcess(new InvalidOperationException(message)));
}
