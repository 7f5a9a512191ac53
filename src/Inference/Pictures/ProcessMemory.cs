namespace Detection.Inference.Pictures;

/// <summary>Memory that this process may use, from which defaults are taken so that they fit into it together.</summary>
public static class ProcessMemory
{
    /// <summary>Bytes: the limit of the container or of the runtime's heap where there is one, else the machine's memory.</summary>
    public static long Available { get; } = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
}
