namespace Detection.Contracts.Cluster;

/// <summary>How a silo gets a model.</summary>
/// <param name="Name">Name of the model.</param>
/// <param name="Source">Where it comes from, without the query of a URL.</param>
/// <param name="State">How far it is.</param>
/// <param name="Bytes">Bytes that have arrived.</param>
/// <param name="Total">Bytes of the files that are known; <see langword="null"/> while none is.</param>
/// <param name="Problem">Why the last try failed, in one sentence; <see langword="null"/> without a failure.</param>
public sealed record PullReport(string Name, string Source, PullState State, long Bytes, long? Total, string? Problem);

/// <summary>How far a pull is.</summary>
public enum PullState
{
    /// <summary>It arrives.</summary>
    Pulling,

    /// <summary>It is in the folder of models.</summary>
    Done,

    /// <summary>The last try failed; the silo tries again.</summary>
    Failed,
}
