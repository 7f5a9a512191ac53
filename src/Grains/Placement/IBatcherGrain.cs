namespace Detection.Grains.Placement;

/// <summary>Drains the queue of one model onto one device. Runs on the silo that owns the device; the key is <see cref="BatcherKey"/>.</summary>
[Alias("detection.IBatcherGrain")]
public interface IBatcherGrain : IGrainWithStringKey
{
    /// <summary>Starts the batcher unless it runs. Does not wait for its work.</summary>
    [Alias("EnsureRunning")]
    Task EnsureRunning();
}

/// <summary>Key of a batcher.</summary>
/// <param name="Device">Cluster-unique device id, for example <c>node-1/cuda:0</c>.</param>
/// <param name="Model">The model as <c>name@version</c>.</param>
public readonly record struct BatcherKey(string Device, string Model)
{
    /// <summary>The grain key, <c>device|model</c>.</summary>
    public override string ToString() => $"{Device}|{Model}";

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    /// <exception cref="FormatException"><paramref name="text"/> is not a batcher key.</exception>
    public static BatcherKey Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var bar = text.LastIndexOf('|');
        return bar > 0 ? new BatcherKey(text[..bar], text[(bar + 1)..]) : throw new FormatException($"'{text}' is not a batcher key.");
    }
}
