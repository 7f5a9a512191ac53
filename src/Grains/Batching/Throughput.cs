using Detection.Contracts.Cluster;

namespace Detection.Grains.Batching;

/// <summary>
/// Counts the pictures of a device and measures its rate. The rate counts pictures with a result only, so that a device that fails quickly does not
/// seem fast.
/// </summary>
internal sealed class Throughput(TimeProvider time)
{
    private readonly Lock _gate = new();
    private int _inFlight;
    private long _progressAt = time.GetTimestamp();
    private long _busySince;
    private long _busyTicks;
    private long _completed;
    private long _failed;
    private long _batches;
    private bool _saturated;
    private (long Completed, long Failed, double Busy) _measured;
    private double _rate;

    /// <summary>Pictures that are claimed and not settled.</summary>
    public int InFlight => Volatile.Read(ref _inFlight);

    /// <summary>Pictures that ended, including failed ones.</summary>
    public long Completed => Volatile.Read(ref _completed);

    /// <summary>Whether pictures are claimed and none has come off the device for too long.</summary>
    public bool IsStuck(TimeSpan after) => InFlight > 0 && time.GetElapsedTime(Volatile.Read(ref _progressAt)) > after;

    /// <summary>Pictures are claimed.</summary>
    /// <param name="count">How many.</param>
    /// <param name="saturated">Whether more pictures wait.</param>
    public void Enter(int count, bool saturated)
    {
        lock (_gate)
        {
            if (_inFlight == 0)
            {
                _busySince = time.GetTimestamp();
                Progressed();
            }

            _inFlight += count;
            _saturated |= saturated;
        }
    }

    /// <summary>Claimed pictures are settled or returned.</summary>
    public void Leave(int count)
    {
        lock (_gate)
        {
            if (count > 0 && (_inFlight -= count) == 0)
            {
                _busyTicks += time.GetElapsedTime(_busySince).Ticks;
            }
        }
    }

    /// <summary>The device has made progress, or there is another reason why no picture comes off it.</summary>
    public void Progressed() => Volatile.Write(ref _progressAt, time.GetTimestamp());

    /// <summary>A picture has ended.</summary>
    public void Ended(bool failed)
    {
        lock (_gate)
        {
            _completed++;
            _failed += failed ? 1 : 0;
        }
    }

    public void BatchEnded() => Interlocked.Increment(ref _batches);

    /// <summary>Creates a report. Measures the rate since the last call.</summary>
    public BatcherReport Report(string device, string model, BatcherState state)
    {
        lock (_gate)
        {
            var busy = TimeSpan.FromTicks(_busyTicks + (_inFlight > 0 ? time.GetElapsedTime(_busySince).Ticks : 0)).TotalSeconds;
            var failed = _failed - _measured.Failed;
            var detected = _completed - _measured.Completed - failed;
            if (detected > 0 && busy - _measured.Busy > 0.1)
            {
                // While the queue was empty, or some of the time was spent on pictures that failed, the device could have done more. So such a
                // measurement may only raise the rate.
                var rate = detected / (busy - _measured.Busy);
                if (rate > _rate || (_saturated && failed == 0))
                {
                    _rate = _rate == 0 ? rate : (0.6 * _rate) + (0.4 * rate);
                }

                _saturated = false;
                _measured = (_completed, _failed, busy);
            }

            return new BatcherReport(device, model, state, _rate, _inFlight, _completed, _failed, Volatile.Read(ref _batches), busy);
        }
    }
}
