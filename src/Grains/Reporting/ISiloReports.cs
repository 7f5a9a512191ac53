using Detection.Contracts.Cluster;

namespace Detection.Grains.Reporting;

/// <summary>The reports of this silo.</summary>
public interface ISiloReports
{
    /// <summary>The report that other processes read from Redis; <see langword="null"/> before the first one is written.</summary>
    SiloReport? Written { get; }

    /// <summary>Creates a report of the current state.</summary>
    SiloReport Report();
}
