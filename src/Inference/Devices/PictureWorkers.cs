namespace Detection.Inference.Devices;

/// <summary>Pictures that workers process one at a time.</summary>
internal interface IPictureJobs
{
    /// <summary>Processes one picture as far as possible. Must not throw.</summary>
    /// <param name="index">The picture.</param>
    /// <param name="worker">Number of the worker, from 0: data per worker is used by one picture at a time.</param>
    void Run(int index, int worker);
}

/// <summary>
/// The threads that process pictures, usually one per core, shared by all models of a device. Each processes one picture at a time from start to end,
/// so that nothing moves between cores. Models take turns picture by picture, so that a long batch of one does not delay another; within a model the
/// order is first in, first out. A model whose runs do not end gets only half of the threads.
/// </summary>
internal sealed class PictureWorkers : IDisposable
{
    /// <summary>How long a model whose run had to be ended gets only half of the threads.</summary>
    private static readonly TimeSpan Restraint = TimeSpan.FromMinutes(1);

    /// <summary>Runs are ended before that. A run that cannot be ended continues until the process ends.</summary>
    private static readonly TimeSpan JoinTimeout = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _available = new(0);
    private readonly Queue<Lane> _turns = new();
    private readonly Thread[] _threads;
    private int _parked;
    private int _withheld;
    private volatile bool _stopped;

    public PictureWorkers(int count, string name)
    {
        _threads = new Thread[count];
        for (int i = 0; i < count; i++)
        {
            int worker = i;
            _threads[i] = new Thread(() => Work(worker)) { Name = $"{name} worker {i}", IsBackground = true };
        }

        foreach (var thread in _threads)
        {
            thread.Start();
        }
    }

    /// <summary>Number of threads.</summary>
    public int Count => _threads.Length;

    /// <summary>A model's place in the order of turns.</summary>
    public Lane CreateLane() => new(this);

    /// <summary>Ends the threads after their current pictures, and waits a limited time for that. No picture may be waiting any more.</summary>
    public void Dispose()
    {
        _stopped = true;
        _available.Release(_threads.Length);
        long end = Environment.TickCount64 + (long)JoinTimeout.TotalMilliseconds;
        if (_threads.All(thread => thread.Join((int)Math.Max(0, end - Environment.TickCount64))))
        {
            _available.Dispose();
        }
    }

    private void Work(int worker)
    {
        while (true)
        {
            _available.Wait();
            Lane? lane;
            IPictureJobs jobs;
            int index;
            lock (_gate)
            {
                lane = NextTurn();
                if (lane is null)
                {
                    if (_stopped)
                    {
                        return;
                    }

                    _withheld += _parked > 0 ? 1 : 0;
                    continue;
                }

                (jobs, index) = lane.Take();
                if (lane.HasMore)
                {
                    _turns.Enqueue(lane);
                }
            }

            jobs.Run(index, worker);
            lock (_gate)
            {
                lane.Ended();
            }
        }
    }

    /// <summary>
    /// The model whose turn it is. Models that already use all the threads that they may use are parked until one of their pictures ends.
    /// </summary>
    private Lane? NextTurn()
    {
        while (_turns.TryDequeue(out var lane))
        {
            if (!lane.IsFull)
            {
                return lane;
            }

            lane.Park();
        }

        return null;
    }

    /// <summary>Waiting pictures of one model.</summary>
    internal sealed class Lane(PictureWorkers workers)
    {
        private readonly Queue<(IPictureJobs Jobs, int Count)> _waiting = new();
        private int _next;
        private int _running;
        private bool _isParked;
        private long _restrainedUntil = long.MinValue;

        /// <summary>Whether it uses all the threads that it may use. Call this and the following members under the lock.</summary>
        public bool IsFull => Environment.TickCount64 < _restrainedUntil && _running >= Math.Max(1, workers.Count / 2);

        /// <summary>Whether pictures wait.</summary>
        public bool HasMore => _waiting.Count > 0;

        /// <summary>Adds jobs 0 to <paramref name="count"/> − 1 for the workers.</summary>
        public void Post(IPictureJobs jobs, int count)
        {
            lock (workers._gate)
            {
                ObjectDisposedException.ThrowIf(workers._stopped, workers);
                _waiting.Enqueue((jobs, count));
                if (_waiting.Count == 1)
                {
                    workers._turns.Enqueue(this);
                }
            }

            workers._available.Release(count);
        }

        /// <summary>A run had to be ended. Other runs of this model may be like it, and must not use all threads. Takes the lock itself.</summary>
        public void Restrain()
        {
            lock (workers._gate)
            {
                _restrainedUntil = Environment.TickCount64 + (long)Restraint.TotalMilliseconds;
            }
        }

        /// <summary>Leaves the order of turns until one of its pictures has ended.</summary>
        public void Park()
        {
            _isParked = true;
            workers._parked++;
        }

        /// <summary>One of its pictures has ended.</summary>
        public void Ended()
        {
            _running--;
            if (_isParked && !IsFull)
            {
                _isParked = false;
                workers._parked--;
                workers._turns.Enqueue(this);
                if (workers._withheld > 0)
                {
                    workers._available.Release(workers._withheld);
                    workers._withheld = 0;
                }
            }
        }

        /// <summary>The next picture, while pictures wait.</summary>
        public (IPictureJobs Jobs, int Index) Take()
        {
            _running++;
            var (jobs, count) = _waiting.Peek();
            int index = _next++;
            if (_next == count)
            {
                _waiting.Dequeue();
                _next = 0;
            }

            return (jobs, index);
        }
    }
}
