using System.Diagnostics;
using Detection.Inference.Graphs;
using Detection.Objects;

namespace Detection.Inference.Devices.Batched;

/// <summary>Runs the rows of a slot and reads their boxes.</summary>
internal sealed class BatchRuns(PictureStages stages, RunBounds bounds)
{
    /// <summary>Runs the first rows of a slot, with the smallest batch size that is large enough.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="rows">Number of rows that hold pictures.</param>
    /// <param name="longest">Time limit of the run.</param>
    public void RunRows(BatchSlot slot, int rows, TimeSpan longest)
    {
        BoundRun? run = null;
        foreach (var (batch, candidate) in slot.Runs)
        {
            run = candidate;
            if (batch >= rows)
            {
                break;
            }
        }

        // The rows behind the last one contain earlier pictures, which is harmless.
        long start = Stopwatch.GetTimestamp();
        run!.Run(LongestRun(slot, rows, longest));
        var elapsed = Stopwatch.GetElapsedTime(start);
        for (int row = 0; row < rows; row++)
        {
            slot.Items[row].Progress.Inference = elapsed;
        }

        slot.Run = run;
    }

    /// <summary>Whether the deadline of a picture has passed. If so, the picture is completed.</summary>
    public bool IsOver(BatchSlot slot, in BatchItem item) => stages.IsOver(slot.Batch, item.Index);

    /// <summary>Completes a picture whose run failed, unless its deadline has passed.</summary>
    public void Fail(BatchSlot slot, in BatchItem item, Exception error)
    {
        if (item.Index >= 0 && !(error is RunTimeoutException && IsOver(slot, item)))
        {
            slot.Batch.Complete(item.Index, item.Progress.Failed(error));
        }
    }

    /// <summary>Halves a batch that failed until the pictures that cause the failure are alone.</summary>
    public void RunParts(BatchSlot slot, Exception error)
    {
        var items = slot.Items[..slot.Rows];
        int rowBytes = slot.Tensors.RowBytes;
        byte[] rows;
        try
        {
            rows = slot.Tensors.Input[..(slot.Rows * rowBytes)].ToArray();
        }
        catch (OutOfMemoryException)
        {
            foreach (var item in items.Where(item => item.Index >= 0))
            {
                slot.Batch.Complete(item.Index, item.Progress.Failed(error));
            }

            return;
        }

        var boxes = new List<DetectedObject>();
        var parts = new Stack<(int First, int Count, Exception Error)>();
        parts.Push((0, items.Length, error));
        while (parts.TryPop(out var part))
        {
            if (part.Count == 1)
            {
                Fail(slot, items[part.First], part.Error);
                continue;
            }

            int half = part.Count / 2;
            foreach (var (first, count) in new[] { (part.First, half), (part.First + half, part.Count - half) })
            {
                // The run may have more rows: the picture that causes the failure must not be among them.
                slot.Tensors.Input.Clear();
                rows.AsSpan(first * rowBytes, count * rowBytes).CopyTo(slot.Tensors.Input);
                items.AsSpan(first, count).CopyTo(slot.Items);
                try
                {
                    RunRows(slot, count, bounds.LongestAlone);
                }
#pragma warning disable CA1031 // The smaller part runs next.
                catch (Exception e)
#pragma warning restore CA1031
                {
                    parts.Push((first, count, e));
                    continue;
                }

                for (int row = 0; row < count; row++)
                {
                    Read(slot, row, boxes);
                }
            }
        }

        slot.Tensors.Input.Clear();
    }

    /// <summary>Reads the boxes of a row after a run, and completes its picture.</summary>
    public void Read(BatchSlot slot, int row, List<DetectedObject> boxes)
    {
        ref var item = ref slot.Items[row];
        if (item.Index < 0)
        {
            return;
        }

        PictureOutcome outcome;
        try
        {
            outcome = stages.Read(slot.Batch.Pictures[item.Index], slot.Run.OutputRow(row), boxes, item.Progress);
        }
#pragma warning disable CA1031 // An error of one picture is that picture's outcome.
        catch (Exception e)
#pragma warning restore CA1031
        {
            outcome = item.Progress.Failed(e);
        }

        slot.Batch.Complete(item.Index, outcome);
    }

    /// <summary>Time limit of a run whose results are needed until the last deadline of its pictures.</summary>
    private TimeSpan LongestRun(BatchSlot slot, int rows, TimeSpan longest)
    {
        var left = TimeSpan.Zero;
        foreach (ref readonly var item in slot.Items.AsSpan(0, rows))
        {
            if (item.Index >= 0)
            {
                left = TimeSpan.FromTicks(Math.Max(left.Ticks, stages.Left(slot.Batch.Pictures[item.Index]).Ticks));
            }
        }

        var most = bounds.Until(left);
        return most < longest ? most : longest;
    }
}
