namespace Detection.Grains.Health;

/// <summary>
/// Counts the pictures of a model that are on its device: their run is under way, or is the next thing that they wait for. A picture that waits for a
/// thread or for memory, or is being decoded, is not on the device and does not show its health. Safe for concurrent use.
/// </summary>
internal sealed class PicturesOnDevice(TimeProvider time)
{
    private readonly Lock _gate = new();
    private int _count;
    private long _changedAt;

    /// <summary>Whether pictures are on the device and the number has not changed for <paramref name="longer"/>.</summary>
    public bool AreHeld(TimeSpan longer)
    {
        lock (_gate)
        {
            return _count > 0 && time.GetElapsedTime(_changedAt) > longer;
        }
    }

    /// <summary>A picture that will be on the device. Dispose it when the picture has ended.</summary>
    public Visit Expect() => new(this);

    private void Add(int change)
    {
        lock (_gate)
        {
            _count += change;
            _changedAt = time.GetTimestamp();
        }
    }

    /// <summary>One picture.</summary>
    internal sealed class Visit(PicturesOnDevice pictures) : IDisposable
    {
        private const int Expected = 0;
        private const int Begun = 1;
        private const int Ended = 2;

        private int _state;

        /// <summary>It is on the device now.</summary>
        public void Begin()
        {
            if (Interlocked.CompareExchange(ref _state, Begun, Expected) == Expected)
            {
                pictures.Add(1);
            }
        }

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _state, Ended) == Begun)
            {
                pictures.Add(-1);
            }
        }
    }
}
