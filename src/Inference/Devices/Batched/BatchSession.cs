using System.Threading.Channels;
using Detection.Inference.Graphs;
using Detection.Objects;
using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Devices.Batched;

/// <summary>A model on a batch device: a session per batch size, and a few sets of tensors that batches use in turn.</summary>
internal sealed class BatchSession : IModelSession
{
    private readonly PictureStages _stages;
    private readonly IReadOnlyList<(int Batch, InferenceSession Session)> _sessions;
    private readonly DeviceThread _thread;
    private readonly RunBounds _bounds;
    private readonly PictureWorkers.Lane _decoding;
    private readonly PictureWorkers.Lane _reading;
    private readonly List<DetectedObject>[] _boxes;
    private readonly OrtAllocator _allocator;
    private readonly BatchRuns _runs;
    private readonly List<BatchSlot> _slots = [];
    private readonly Channel<BatchSlot> _free = Channel.CreateUnbounded<BatchSlot>();
    private readonly CallGate _calls = new();

    /// <param name="graph">The graph.</param>
    /// <param name="stages">The stages before and after a run.</param>
    /// <param name="sessions">A session per batch size, ascending. This object disposes them.</param>
    /// <param name="provider">The execution provider of the sessions.</param>
    /// <param name="workers">Threads for decoding and reading.</param>
    /// <param name="thread">The device's thread.</param>
    /// <param name="bounds">Time limits of runs.</param>
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
        _runs = new BatchRuns(stages, bounds);
        _decoding = workers.CreateLane();
        _reading = workers.CreateLane();
        _boxes = [.. Enumerable.Range(0, workers.Count).Select(_ => new List<DetectedObject>())];
        MaxBatch = sessions[^1].Batch;
        _allocator = provider.CreateAllocator(sessions[^1].Session);
        try
        {
            for (int i = 0; i < Concurrency; i++)
            {
                var tensors = new TensorSet(_allocator, graph, sessions[^1].Session, MaxBatch);
                var slot = new BatchSlot(this, tensors, MaxBatch);
                _slots.Add(slot);
                foreach (var (batch, session) in sessions)
                {
                    slot.Runs.Add((batch, tensors.Bind(session, batch, provider.HasOwnMemory, bounds)));
                }

                _free.Writer.TryWrite(slot);
            }
        }
        catch
        {
            FreeTensors();
            throw;
        }
    }

    /// <summary>Three batches: one on the device, one being decoded, and one that the caller settles and claims.</summary>
    public int Concurrency => 3;

    /// <summary>Maximum number of pictures in one run.</summary>
    public int MaxBatch { get; }

    /// <inheritdoc/>
    public Task Unending => _bounds.Unending;

    /// <inheritdoc/>
    public Task DetectAsync(
        IReadOnlyList<PictureWork> batch,
        Action<int, PictureOutcome> completed,
        CancellationToken cancellationToken) => _calls.RunAsync(this, batch, completed, StartAsync, cancellationToken);

    /// <summary>Runs each session with each set of tensors, on the device's thread, so that no request waits for planning.</summary>
    public Task WarmUpAsync() => _thread.InvokeAsync(() =>
    {
        foreach (var slot in _slots)
        {
            foreach (var (_, run) in slot.Runs)
            {
                run.WarmUp();
            }
        }
    });

    /// <summary>Lets an action use one set of tensors on the device's thread, before the session serves.</summary>
    public Task TryAsync(Action<IReadOnlyList<(int Batch, BoundRun Run)>> use) => _thread.InvokeAsync(() => use(_slots[0].Runs));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _calls.CloseAsync();
        FreeTensors();
        foreach (var (_, session) in _sessions)
        {
            session.Dispose();
        }

        FreedMemory.TrimHeap();
    }

    private async ValueTask StartAsync(RunningBatch batch)
    {
        for (int first = 0; first < batch.Pictures.Count; first += MaxBatch)
        {
            // A slot always comes free: its pictures see the cancellation too.
            var slot = await _free.Reader.ReadAsync(CancellationToken.None);
            int count = Math.Min(MaxBatch, batch.Pictures.Count - first);
            slot.Take(batch, first, count);
            _decoding.Post(slot.Decoding, count);
        }
    }

    private void FreeTensors()
    {
        foreach (var slot in _slots)
        {
            slot.Dispose();
        }

        if (_allocator != OrtAllocator.DefaultInstance)
        {
            _allocator.Dispose();
        }
    }

    /// <summary>Decodes one picture of a slot into its next free row.</summary>
    internal void Decode(BatchSlot slot, int offset)
    {
        var batch = slot.Batch;
        int index = slot.First + offset;
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
            row = slot.AddRow();
            _stages.Preprocess(picture, slot.Tensors.InputRow(row), ref progress);
            slot.Items[row] = new BatchItem(index, progress);
        }
#pragma warning disable CA1031 // An error of one picture is that picture's outcome.
        catch (Exception e)
#pragma warning restore CA1031
        {
            if (row >= 0)
            {
                slot.Items[row] = BatchItem.None;
            }

            // It waited for memory for too long.
            if (e is TimeoutException or OperationCanceledException && _stages.IsOver(batch, index))
            {
                return;
            }

            batch.Complete(index, progress.Failed(e));
        }
    }

    /// <summary>Lets the device's thread run a slot whose pictures are decoded.</summary>
    internal void PostRun(BatchSlot slot)
    {
        foreach (ref readonly var item in slot.Items.AsSpan(0, slot.Rows))
        {
            if (item.Index >= 0)
            {
                slot.Batch.Pictures[item.Index].Decoded?.Invoke();
            }
        }

        _thread.Post(() => Run(slot));
    }

    /// <summary>Reads the boxes of one row of a slot.</summary>
    internal void Read(BatchSlot slot, int row, int worker) => _runs.Read(slot, row, _boxes[worker]);

    /// <summary>Accepts a slot for the next batch.</summary>
    internal void Free(BatchSlot slot) => _free.Writer.TryWrite(slot);

    /// <summary>On the device's thread.</summary>
    private void Run(BatchSlot slot)
    {
        try
        {
            _runs.RunRows(slot, slot.Rows, _bounds.Longest);
        }
        catch (RunTimeoutException e) when (slot.Rows > 1)
        {
            new SeparateRuns(_runs, _thread, _bounds.LongestAlone, slot, e).RunNext();
            return;
        }
#pragma warning disable CA1031 // A failed run is the outcome of its pictures; the thread continues with the next run.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _runs.RunParts(slot, e);
            Free(slot);
            return;
        }

        slot.BeginReading();
        _reading.Post(slot.Reading, slot.Rows);
    }
}
