namespace Detection.Inference.Pictures;

/// <summary>Memory that this process may use. Defaults are parts of it, so that together they fit.</summary>
public static class ProcessMemory
{
    /// <summary>Number of bytes: the limit of the container or of the runtime's heap if there is one, otherwise the machine's memory.</summary>
    public static long Available { get; } = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
}
