using System.Text.RegularExpressions;

namespace Detection.Grains.Health;

/// <summary>Errors of devices that reloading the model does not repair.</summary>
internal static partial class DeviceFault
{
    /// <summary>
    /// Whether every later call of CUDA in this process fails as well. The list contains the errors for which the CUDA Runtime API requires a new
    /// process, errors of memory cells (ECC), a lost device, and the unknown error.
    /// </summary>
    public static bool NeedsNewProcess(Exception? error)
    {
        for (; error is not null; error = error.InnerException)
        {
            if (Numbered().IsMatch(error.Message) || Worded().IsMatch(error.Message))
            {
                return true;
            }
        }

        return false;
    }

    // As ONNX Runtime writes them: "CUDA failure 700: an illegal memory access was encountered ; GPU=0 ; ...".
    [GeneratedRegex(@"\bcuda\s*(failure|error)\s*[:(]?\s*(77|214|700|702|709|710|714|715|716|717|718|719|721|999)\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Numbered();

    [GeneratedRegex(
        "illegal memory access|illegal instruction was encountered|device-side assert|unspecified launch failure|launch timed out"
        + "|uncorrectable ECC error|misaligned address|hardware stack error|invalid program counter|operation not supported on global/shared address space"
        + "|context is destroyed|(device|GPU) (is|was) lost|fallen off the bus|CUDA[^.]{0,40}unknown error"
        + "|cudaError(IllegalAddress|LaunchTimeout|ContextIsDestroyed|Assert|HardwareStackError|IllegalInstruction|MisalignedAddress|InvalidAddressSpace|InvalidPc|LaunchFailure|ECCUncorrectable|Unknown)",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Worded();
}
