namespace Detection.SickSilo;

/// <summary>A fault of a device.</summary>
internal enum Sickness
{
    /// <summary>No fault.</summary>
    None,

    /// <summary>Every run fails because of missing memory.</summary>
    OutOfMemory,

    /// <summary>Every run finds nothing, without an error.</summary>
    Blind,

    /// <summary>Every run fails with an error that only a new process recovers from.</summary>
    CudaError,
}
