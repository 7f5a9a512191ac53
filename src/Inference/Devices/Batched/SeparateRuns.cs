using Detection.Inference.Graphs;
using Detection.Objects;

namespace Detection.Inference.Devices.Batched;

/// <summary>
/// The pictures of a batch that was ended, run one by one. After each the device may run a batch of another model: those that do not end
/// take their time again.
/// </summary>
/// <param name="runs">Runs them.</param>
/// <param name="thread">The device's thread.</param>
/// <param name="longest">Longest that the run of one may last.</param>
/// <param name="slot">The tensors with the batch.</param>
/// <param name="error">Why the batch was ended.</param>
internal sealed class SeparateRuns(BatchRuns runs, DeviceThread thread, TimeSpan longest, BatchSlot slot, RunTimeoutException error)
{
    private readonly byte[] _rows = slot.Tensors.Input[..(slot.Rows * slot.Tensors.RowBytes)].ToArray();
    private readonly BatchItem[] _items = slot.Items[..slot.Rows];
    private readonly List<DetectedObject> _boxes = [];
    private int _next;

    /// <summary>Runs the next picture, or gives the tensors back. On the device's thread.</summary>
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
#pragma warning disable CA1031 // A run that fails is the outcome of its picture.
        catch (Exception e)
#pragma warning restore CA1031
        {
            runs.Fail(slot, _items[index], e is RunTimeoutException ? error : e);
            return;
        }

        runs.Read(slot, 0, _boxes);
    }
}
