using Detection.Inference.Graphs;
using Detection.Objects;

namespace Detection.Inference.Devices.Batched;

/// <summary>
/// The pictures of a batch that was ended, run one by one. Between two of them the device may run a batch of another model, because each picture that
/// does not end uses its full time limit again.
/// </summary>
/// <param name="runs">Runs them.</param>
/// <param name="thread">The device's thread.</param>
/// <param name="longest">Time limit of the run of one picture.</param>
/// <param name="slot">The tensors with the batch.</param>
/// <param name="error">The timeout of the batch.</param>
internal sealed class SeparateRuns(BatchRuns runs, DeviceThread thread, TimeSpan longest, BatchSlot slot, RunTimeoutException error)
{
    private readonly byte[] _rows = slot.Tensors.Input[..(slot.Rows * slot.Tensors.RowBytes)].ToArray();
    private readonly BatchItem[] _items = slot.Items[..slot.Rows];
    private readonly List<DetectedObject> _boxes = [];
    private int _next;

    /// <summary>Runs the next picture, or returns the tensors. Called on the device's thread.</summary>
    public void RunNext()
    {
        slot.Tensors.Input.Clear();
        if (_next == _items.Length)
        {
            slot.Free();
            return;
        }

        int index = _next++;
        if (_items[index].Index >= 0 && !runs.IsOver(slot, _items[index]))
        {
            Run(index);
        }

        thread.Post(RunNext);
    }

    private void Run(int index)
    {
        int bytes = slot.Tensors.RowBytes;
        _rows.AsSpan(index * bytes, bytes).CopyTo(slot.Tensors.Input);
        slot.Items[0] = _items[index];
        try
        {
            runs.RunRows(slot, 1, longest);
        }
#pragma warning disable CA1031 // A failed run is the outcome of its picture.
        catch (Exception e)
#pragma warning restore CA1031
        {
            runs.Fail(slot, _items[index], e is RunTimeoutException ? error : e);
            return;
        }

        runs.Read(slot, 0, _boxes);
    }
}
