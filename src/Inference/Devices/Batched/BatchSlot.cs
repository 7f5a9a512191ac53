namespace Detection.Inference.Devices.Batched;

/// <summary>A picture in a row of the input tensor.</summary>
internal struct BatchItem(int index, PictureProgress progress)
{
    /// <summary>A row that is ignored.</summary>
    public static readonly BatchItem None = new(-1, default);

    /// <summary>Its index in the caller's batch.</summary>
    public int Index = index;

    /// <summary>Its progress.</summary>
    public PictureProgress Progress = progress;
}

/// <summary>A set of tensors with the pictures in it.</summary>
internal sealed class BatchSlot : IDisposable
{
    private readonly BatchSession _session;
    private int _open;
    private int _rows;

    public BatchSlot(BatchSession session, TensorSet tensors, int batch)
    {
        _session = session;
        Tensors = tensors;
        Items = new BatchItem[batch];
        Decoding = new DecodingJobs(this);
        Reading = new ReadingJobs(this);
    }

    public TensorSet Tensors { get; }

    /// <summary>A bound run per batch size, ascending.</summary>
    public List<(int Batch, BoundRun Run)> Runs { get; } = [];

    public BatchItem[] Items { get; }

    public IPictureJobs Decoding { get; }

    public IPictureJobs Reading { get; }

    public RunningBatch Batch { get; private set; } = null!;

    public int First { get; private set; }

    /// <summary>Number of rows that contain pictures.</summary>
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

    /// <summary>Returns the tensors for the next batch.</summary>
    public void Free() => _session.Free(this);

    public void Dispose()
    {
        foreach (var (_, run) in Runs)
        {
            run.Dispose();
        }

        Tensors.Dispose();
    }

    private sealed class DecodingJobs(BatchSlot slot) : IPictureJobs
    {
        public void Run(int index, int worker)
        {
            slot._session.Decode(slot, index);
            if (Interlocked.Decrement(ref slot._open) > 0)
            {
                return;
            }

            if (slot._rows > 0)
            {
                slot._session.PostRun(slot);
            }
            else
            {
                slot.Free();
            }
        }
    }

    private sealed class ReadingJobs(BatchSlot slot) : IPictureJobs
    {
        public void Run(int index, int worker)
        {
            slot._session.Read(slot, index, worker);
            if (Interlocked.Decrement(ref slot._open) == 0)
            {
                slot.Free();
            }
        }
    }
}
