namespace Detection.Contracts.Cluster;

/// <summary>An administrator's calls to a silo. The grain is on the silo whose name is its key. Calls return at once, and the silo's report shows the result.</summary>
[Alias("detection.ISiloGrain")]
public interface ISiloGrain : IGrainWithStringKey
{
    /// <summary>Retries a model now: reads its files, loads it, and uses devices on which it failed. The silo would do this later by itself.</summary>
    /// <param name="name">Name of the model, without a version.</param>
    [ResponseTimeout("00:00:05"), Alias("RetryModel")]
    Task<RetryOutcome> RetryModel(string name);

    /// <summary>
    /// Drains the silo's batchers: they stop claiming, complete the pictures on their devices and return the others to the queue. Its models are
    /// unloaded. The silo serves again only after a restart of its process.
    /// </summary>
    [ResponseTimeout("00:00:05"), Alias("Drain")]
    Task Drain();
}

/// <summary>What a silo does when it is told to retry a model.</summary>
public enum RetryOutcome
{
    /// <summary>It has no model of this name.</summary>
    NotFound,

    /// <summary>It serves the model and there is nothing to retry.</summary>
    Serving,

    /// <summary>It tries again now.</summary>
    Retrying,

    /// <summary>It did not answer in time.</summary>
    Unreachable,

    /// <summary>It was drained, and tries nothing until its process is restarted.</summary>
    Drained,
}
