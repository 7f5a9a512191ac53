namespace Detection.SickSilo;

/// <summary>What is wrong with a device.</summary>
internal enum Sickness
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Every run fails for want of memory.</summary>
    OutOfMemory,

    /// <summary>Every run finds nothing, without an error.</summary>
    Blind,

    /// <summary>Every run fails with an error that only a new process mends.</summary>
    CudaError,
}
