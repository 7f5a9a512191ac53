namespace Detection.Contracts.Cluster;

/// <summary>What an administrator tells a silo. It lives on the silo whose name is its key; calls return at once, and the silo's report shows what follows.</summary>
[Alias("detection.ISiloGrain")]
public interface ISiloGrain : IGrainWithStringKey
{
    /// <summary>Tries now what the silo would try later: to read the files of a model, to load it, and to use a device on which it failed.</summary>
    /// <param name="name">Name of the model, without a version.</param>
    [ResponseTimeout("00:00:05"), Alias("RetryModel")]
    Task<RetryOutcome> RetryModel(string name);

    /// <summary>
    /// Ends the silo's batchers: they claim no more, finish what is on their devices and return the rest to the queue. Its models are unloaded.
    /// Only a new process ends this state.
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
}
