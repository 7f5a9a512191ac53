using System.Globalization;

namespace Detection.Inference.Devices;

/// <summary>Names of devices.</summary>
internal static class DeviceName
{
    /// <summary>The number in <c>cuda:0</c>, <c>cuda:1</c>, …; <see langword="null"/> for any other name.</summary>
    public static int? CudaIndex(string name) =>
        name.StartsWith("cuda:", StringComparison.Ordinal)
        && int.TryParse(name.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out int index)
            ? index
            : null;
}
