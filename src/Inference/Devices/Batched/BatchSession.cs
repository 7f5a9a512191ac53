using System.Diagnostics;
using System.Threading.Channels;
using Detection.Inference.Graphs;
using Detection.Inference.Heads;
using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Devices.Batched;

/// <summary>A model on a batch device: a session per batch size, and a few sets of tensors that batches go through in turn.</summary>
internal sealed class BatchSession : IModelSession
{
    private readonly PictureStages _stages;
    private readonly IReadOnlyList<(int Batch, InferenceSession Session)> _sessions;
    private readonly DeviceThread _thread;
    private readonly RunBounds _bounds;
    private readonly PictureWorkers.Lane _decoding;
    private readonly PictureWorkers.Lane _reading;
    private readonly List<ScoredBox>[] _boxes;
    private readonly OrtAllocator _allocator;
    private readonly List<Seat> _seats = [];
    private readonly Channel<Seat> _free = Channel.CreateUnbounded<Seat>();
    private readonly CallGate _calls = new();

    /// <param name="graph">The graph.</param>
    /// <param name="stages">What happens before and after a run.</param>
    /// <param name="sessions">A session per batch size, ascending; disposed by this once it is made.</param>
    /// <param name="provider">What they run with.</param>
    /// <param name="workers">Threads for decoding and reading.</param>
    /// <param name="thread">The device's thread.</param>
    /// <param name="bounds">How long runs may last.</param>
    public BatchSession(
        ModelGraph graph,
        PictureStages stages,
        IReadOnlyList<(int Batch, InferenceSession Session)> sessions,
        ExecutionProvider provider,
        PictureWorkers workers,
        DeviceThread thread,
        RunBounds bounds)
    {
        _stages = stages;
        _sessions = sessions;
        _thread = thread;
        _bounds = bounds;
        _decoding = workers.CreateLane();
        _reading = workers.CreateLane();
        _boxes = [.. Enumerable.Range(0, workers.Count).Select(_ => new List<ScoredBox>())];
        MaxBatch = sessions[^1].Batch;
        _allocator = provider.CreateAllocator(sessions[^1].Session);
        try
        {
            for (int i = 0; i < Concurrency; i++)
            {
                var tensors = new TensorSet(_allocator, graph, sessions[^1].Session, MaxBatch);
                var seat = new Seat(this, tensors, MaxBatch);
                _seats.Add(seat);
                foreach (var (batch, session) in sessions)
                {
                    seat.Runs.Add((batch, tensors.Bind(session, batch, provider.HasOwnMemory, bounds)));
                }

                _free.Writer.TryWrite(seat);
            }
        }
        catch
        {
            FreeTensors();
            throw;
        }
    }

    /// <summary>Three: one on the device, one being decoded, one being settled and claimed by the caller.</summary>
    public int Concurrency => 3;

    /// <summary>Most pictures in one run.</summary>
    public int MaxBatch { get; }

    /// <inheritdoc/>
    public Task Unending => _bounds.Unending;

    /// <inheritdoc/>
    public Task DetectAsync(
        IReadOnlyList<PictureWork> batch,
        Action<int, PictureOutcome> completed,
        CancellationToken cancellationToken) => _calls.RunAsync(this, batch, completed, StartAsync, cancellationToken);

    /// <summary>Runs each session on each set of tensors, on the device's thread, so that no request pays for planning.</summary>
    public Task WarmUpAsync() => _thread.InvokeAsync(() =>
    {
        foreach (var seat in _seats)
        {
            foreach (var (_, run) in seat.Runs)
            {
                run.WarmUp();
            }
        }
    });

    /// <summary>Lets something use one set of tensors on the device's thread, before the session serves.</summary>
    public Task TryAsync(Action<IReadOnlyList<(int Batch, BoundRun Run)>> use) => _thread.InvokeAsync(() => use(_seats[0].Runs));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _calls.CloseAsync();
        FreeTensors();
        foreach (var (_, session) in _sessions)
        {
            session.Dispose();
        }

        FreedMemory.GiveBack();
    }

    private async ValueTask StartAsync(RunningBatch batch)
    {
        for (int first = 0; first < batch.Pictures.Count; first += MaxBatch)
        {
            // A seat always comes free: its pictures see the cancellation too.
            var seat = await _free.Reader.ReadAsync(CancellationToken.None);
            int count = Math.Min(MaxBatch, batch.Pictures.Count - first);
            seat.Take(batch, first, count);
            _decoding.Post(seat.Decoding, count);
        }
    }

    private void FreeTensors()
    {
        foreach (var seat in _seats)
        {
            seat.Dispose();
        }

        if (_allocator != OrtAllocator.DefaultInstance)
        {
            _allocator.Dispose();
        }
    }

    private void Decode(Seat seat, int offset)
    {
        var batch = seat.Batch;
        int index = seat.First + offset;
        if (_stages.IsOver(batch, index))
        {
            return;
        }

        var progress = default(PictureProgress);
        int row = -1;
        try
        {
            using var picture = _stages.Decode(batch, index, ref progress);

            // Only now: pictures that fail leave no gaps.
            row = seat.AddRow();
            _stages.Preprocess(picture, seat.Tensors.InputRow(row), ref progress);
            seat.Items[row] = new Item(index, progress);
        }
#pragma warning disable CA1031 // Whatever one picture meets is that picture's outcome.
        catch (Exception e)
#pragma warning restore CA1031
        {
            if (row >= 0)
            {
                seat.Items[row] = Item.None;
            }

            // It waited for memory for too long.
            if (e is TimeoutException or OperationCanceledException && _stages.IsOver(batch, index))
            {
                return;
            }

            batch.Complete(index, progress.Failed(e));
        }
    }

    /// <summary>On the device's thread.</summary>
    private void Run(Seat seat)
    {
        try
        {
            RunRows(seat, seat.Rows, _bounds.Longest);
        }
        catch (RunTimeoutException e) when (seat.Rows > 1)
        {
            new LonePictures(this, seat, e).RunNext();
            return;
        }
#pragma warning disable CA1031 // A run that fails is the outcome of its pictures; the thread goes on with the next.
        catch (Exception e)
#pragma warning restore CA1031
        {
            RunParts(seat, e);
            _free.Writer.TryWrite(seat);
            return;
        }

        seat.BeginReading();
        _reading.Post(seat.Reading, seat.Rows);
    }

    private void RunRows(Seat seat, int rows, TimeSpan longest)
    {
        BoundRun? run = null;
        foreach (var (batch, candidate) in seat.Runs)
        {
            run = candidate;
            if (batch >= rows)
            {
                break;
            }
        }

        // The rows behind the last hold earlier pictures: any picture will do there.
        long start = Stopwatch.GetTimestamp();
        run!.Run(LongestRun(seat, rows, longest));
        var elapsed = Stopwatch.GetElapsedTime(start);
        for (int row = 0; row < rows; row++)
        {
            seat.Items[row].Progress.Inference = elapsed;
        }

        seat.Run = run;
    }

    /// <summary>How long a run may last whose results are wanted until the last of its pictures' deadlines.</summary>
    private TimeSpan LongestRun(Seat seat, int rows, TimeSpan longest)
    {
        var left = TimeSpan.Zero;
        foreach (ref readonly var item in seat.Items.AsSpan(0, rows))
        {
            if (item.Index >= 0)
            {
                left = TimeSpan.FromTicks(Math.Max(left.Ticks, _stages.Left(seat.Batch.Pictures[item.Index]).Ticks));
            }
        }

        var most = _bounds.Until(left);
        return most < longest ? most : longest;
    }

    /// <summary>The outcome of a picture whose run failed, unless it is too late for it anyway.</summary>
    private void Fail(Seat seat, in Item item, Exception error)
    {
        if (item.Index >= 0 && !(error is RunTimeoutException && _stages.IsOver(seat.Batch, item.Index)))
        {
            seat.Batch.Complete(item.Index, item.Progress.Failed(error));
        }
    }

    /// <summary>Halves a batch that threw until the pictures at fault are alone.</summary>
    private void RunParts(Seat seat, Exception error)
    {
        var items = seat.Items[..seat.Rows];
        int rowBytes = seat.Tensors.RowBytes;
        byte[] rows;
        try
        {
            rows = seat.Tensors.Input[..(seat.Rows * rowBytes)].ToArray();
        }
        catch (OutOfMemoryException)
        {
            foreach (var item in items.Where(item => item.Index >= 0))
            {
                seat.Batch.Complete(item.Index, item.Progress.Failed(error));
            }

            return;
        }

        var boxes = new List<ScoredBox>();
        var parts = new Stack<(int First, int Count, Exception Error)>();
        parts.Push((0, items.Length, error));
        while (parts.TryPop(out var part))
        {
            if (part.Count == 1)
            {
                Fail(seat, items[part.First], part.Error);
                continue;
            }

            int half = part.Count / 2;
            foreach (var (first, count) in new[] { (part.First, half), (part.First + half, part.Count - half) })
            {
                // The run may be for more pictures: that at fault is not to be among them.
                seat.Tensors.Input.Clear();
                rows.AsSpan(first * rowBytes, count * rowBytes).CopyTo(seat.Tensors.Input);
                items.AsSpan(first, count).CopyTo(seat.Items);
                try
                {
                    RunRows(seat, count, _bounds.LongestAlone);
                }
#pragma warning disable CA1031 // The smaller part is looked at next.
                catch (Exception e)
#pragma warning restore CA1031
                {
                    parts.Push((first, count, e));
                    continue;
                }

                for (int row = 0; row < count; row++)
                {
                    Read(seat, row, boxes);
                }
            }
        }

        seat.Tensors.Input.Clear();
    }

    private void Read(Seat seat, int row, List<ScoredBox> boxes)
    {
        ref var item = ref seat.Items[row];
        if (item.Index < 0)
        {
            return;
        }

        PictureOutcome outcome;
        try
        {
            outcome = _stages.Read(seat.Batch.Pictures[item.Index], seat.Run.OutputRow(row), boxes, item.Progress);
        }
#pragma warning disable CA1031 // Whatever one picture meets is that picture's outcome.
        catch (Exception e)
#pragma warning restore CA1031
        {
            outcome = item.Progress.Failed(e);
        }

        seat.Batch.Complete(item.Index, outcome);
    }

    /// <summary>A picture in a row of the input tensor.</summary>
    private struct Item(int index, PictureProgress progress)
    {
        /// <summary>A row to take no notice of.</summary>
        public static readonly Item None = new(-1, default);

        /// <summary>Its place in the caller's batch.</summary>
        public int Index = index;

        /// <summary>Its way until here.</summary>
        public PictureProgress Progress = progress;
    }

    /// <summary>
    /// The pictures of a batch that was ended, run one by one. After each the device may run a batch of another model: those that do not end
    /// take their time again.
    /// </summary>
    private sealed class LonePictures(BatchSession session, Seat seat, RunTimeoutException error)
    {
        private readonly byte[] _rows = seat.Tensors.Input[..(seat.Rows * seat.Tensors.RowBytes)].ToArray();
        private readonly Item[] _items = seat.Items[..seat.Rows];
        private readonly List<ScoredBox> _boxes = [];
        private int _next;

        /// <summary>Runs the next picture, or gives the tensors back. On the device's thread.</summary>
        public void RunNext()
        {
            seat.Tensors.Input.Clear();
            if (_next == _items.Length)
            {
                session._free.Writer.TryWrite(seat);
                return;
            }

            int index = _next++;
            if (_items[index].Index >= 0 && !session._stages.IsOver(seat.Batch, _items[index].Index))
            {
                Run(index);
            }

            session._thread.Post(RunNext);
        }

        private void Run(int index)
        {
            int bytes = seat.Tensors.RowBytes;
            _rows.AsSpan(index * bytes, bytes).CopyTo(seat.Tensors.Input);
            seat.Items[0] = _items[index];
            try
            {
                session.RunRows(seat, 1, session._bounds.LongestAlone);
            }
#pragma warning disable CA1031 // A run that fails is the outcome of its picture.
            catch (Exception e)
#pragma warning restore CA1031
            {
                session.Fail(seat, _items[index], e is RunTimeoutException ? error : e);
                return;
            }

            session.Read(seat, 0, _boxes);
        }
    }

    /// <summary>A set of tensors with the pictures that are in it.</summary>
    private sealed class Seat : IDisposable
    {
        private readonly BatchSession _session;
        private int _open;
        private int _rows;

        public Seat(BatchSession session, TensorSet tensors, int batch)
        {
            _session = session;
            Tensors = tensors;
            Items = new Item[batch];
            Decoding = new DecodingJobs(this);
            Reading = new ReadingJobs(this);
        }

        public TensorSet Tensors { get; }

        /// <summary>A bound run per batch size, ascending.</summary>
        public List<(int Batch, BoundRun Run)> Runs { get; } = [];

        public Item[] Items { get; }

        public IPictureJobs Decoding { get; }

        public IPictureJobs Reading { get; }

        public RunningBatch Batch { get; private set; } = null!;

        public int First { get; private set; }

        /// <summary>Rows that hold pictures.</summary>
        public int Rows => _rows;

        /// <summary>The run that gave the outputs.</summary>
        public BoundRun Run { get; set; } = null!;

        public void Take(RunningBatch batch, int first, int count)
        {
            Batch = batch;
            First = first;
            _rows = 0;
            _open = count;
        }

        public int AddRow() => Interlocked.Increment(ref _rows) - 1;

        public void BeginReading() => _open = _rows;

        public void Dispose()
        {
            foreach (var (_, run) in Runs)
            {
                run.Dispose();
            }

            Tensors.Dispose();
        }

        private sealed class DecodingJobs(Seat seat) : IPictureJobs
        {
            public void Run(int index, int worker)
            {
                seat._session.Decode(seat, index);
                if (Interlocked.Decrement(ref seat._open) > 0)
                {
                    return;
                }

                if (seat._rows > 0)
                {
                    seat._session._thread.Post(() => seat._session.Run(seat));
                }
                else
                {
                    seat._session._free.Writer.TryWrite(seat);
                }
            }
        }

        private sealed class ReadingJobs(Seat seat) : IPictureJobs
        {
            public void Run(int index, int worker)
            {
                seat._session.Read(seat, index, seat._session._boxes[worker]);
                if (Interlocked.Decrement(ref seat._open) == 0)
                {
                    seat._session._free.Writer.TryWrite(seat);
                }
            }
        }
    }
}
