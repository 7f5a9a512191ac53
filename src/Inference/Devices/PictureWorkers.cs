namespace Detection.Inference.Devices;

/// <summary>Pictures that workers take one at a time.</summary>
internal interface IPictureJobs
{
    /// <summary>Carries one picture as far as it goes. Must not throw.</summary>
    /// <param name="index">The picture.</param>
    /// <param name="worker">Number of the worker, from 0: whatever is kept per worker is used by one picture at a time.</param>
    void Run(int index, int worker);
}

/// <summary>
/// The threads that pictures are worked on, usually one per core, shared by all models of a device. Each takes one picture
/// at a time to its end: nothing is handed from core to core. Models take turns picture by picture, so that a long batch of
/// one does not hold up another; within a model it is first come, first served.
/// </summary>
internal sealed class PictureWorkers : IDisposable
{
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _available = new(0);
    private readonly Queue<Lane> _turns = new();
    private readonly Thread[] _threads;
    private volatile bool _stopped;

    /// <param name="count">Number of threads.</param>
    /// <param name="name">Start of the threads' names.</param>
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

    /// <summary>Ends the threads after the pictures that they have begun. Nothing may be waiting any more.</summary>
    public void Dispose()
    {
        _stopped = true;
        _available.Release(_threads.Length);
        foreach (var thread in _threads)
        {
            thread.Join();
        }

        _available.Dispose();
    }

    private void Work(int worker)
    {
        while (true)
        {
            _available.Wait();
            IPictureJobs jobs;
            int index;
            lock (_gate)
            {
                if (_turns.Count == 0)
                {
                    if (_stopped)
                    {
                        return;
                    }

                    continue;
                }

                var lane = _turns.Dequeue();
                (jobs, index) = lane.Take();
                if (lane.HasMore)
                {
                    _turns.Enqueue(lane);
                }
            }

            jobs.Run(index, worker);
        }
    }

    /// <summary>Waiting pictures of one model.</summary>
    internal sealed class Lane(PictureWorkers workers)
    {
        private readonly Queue<(IPictureJobs Jobs, int Count)> _waiting = new();
        private int _next;

        /// <summary>Whether pictures wait.</summary>
        public bool HasMore => _waiting.Count > 0;

        /// <summary>Lets the workers run jobs 0 to <paramref name="count"/> − 1.</summary>
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

        /// <summary>The next picture; to be called under the lock while pictures wait.</summary>
        public (IPictureJobs Jobs, int Index) Take()
        {
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
