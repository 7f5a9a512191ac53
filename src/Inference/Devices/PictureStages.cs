using System.Diagnostics;
using System.Globalization;
using System.Numerics.Tensors;
using Detection.Inference.Graphs;
using Detection.Inference.Heads;
using Detection.Inference.Manifest;
using Detection.Inference.Pictures;
using Detection.Inference.Preprocessing;
using Detection.Objects;

namespace Detection.Inference.Devices;

/// <summary>The progress of a picture from bytes to boxes, with the duration of each stage.</summary>
internal struct PictureProgress
{
    /// <summary>The place of the picture in the input tensor; set by preprocessing.</summary>
    public InputGeometry Geometry;

    /// <summary>Time to decode.</summary>
    public TimeSpan Decode;

    /// <summary>Time to fill the input tensor.</summary>
    public TimeSpan Preprocess;

    /// <summary>Time of the run.</summary>
    public TimeSpan Inference;

    /// <summary>The outcome of a picture with boxes.</summary>
    public readonly PictureOutcome Detected(DetectedObject[] boxes, TimeSpan postprocess) => new(
        OutcomeKind.Detected,
        Geometry.PictureWidth,
        Geometry.PictureHeight,
        boxes,
        null,
        Decode,
        Preprocess,
        Inference,
        postprocess);

    /// <summary>The outcome of a picture that failed.</summary>
    public readonly PictureOutcome Failed(Exception error) => new(
        OutcomeKind.Failed,
        Geometry.PictureWidth,
        Geometry.PictureHeight,
        [],
        error,
        Decode,
        Preprocess,
        Inference,
        TimeSpan.Zero);
}

/// <summary>The stages before and after a run, the same on every device.</summary>
internal sealed class PictureStages(ModelGraph graph, PictureLimits limits, DecodingMemory memory, TimeProvider time)
{
    private static readonly PictureOutcome Expired = new(
        OutcomeKind.Expired,
        0,
        0,
        [],
        null,
        TimeSpan.Zero,
        TimeSpan.Zero,
        TimeSpan.Zero,
        TimeSpan.Zero);

    private static readonly TimeSpan ClockTick = TimeSpan.FromMilliseconds(20);

    private readonly IDetectionHead _head = DetectionHeads.Create(graph.Model.Manifest);

    /// <summary>Time left to a picture's deadline.</summary>
    public TimeSpan Left(in PictureWork work) => work.Deadline - time.GetUtcNow();

    /// <summary>Completes a picture whose deadline has passed, or drops it if its batch is cancelled.</summary>
    /// <returns>Whether the picture needs no more work.</returns>
    public bool IsOver(RunningBatch batch, int index)
    {
        if (batch.IsCancelled)
        {
            batch.GiveUp();
            return true;
        }

        if (batch.Pictures[index].Deadline <= time.GetUtcNow())
        {
            batch.Complete(index, Expired);
            return true;
        }

        return false;
    }

    /// <summary>Decodes a picture, at a reduced size if it is much larger than the input. Waits for memory until the picture's deadline.</summary>
    /// <exception cref="PictureException">The picture cannot be used.</exception>
    /// <exception cref="TimeoutException">Its deadline passed; see <see cref="IsOver"/>.</exception>
    /// <exception cref="OperationCanceledException">Its batch was cancelled; see <see cref="IsOver"/>.</exception>
    public Picture Decode(RunningBatch batch, int index, ref PictureProgress progress)
    {
        var work = batch.Pictures[index];
        long start = Stopwatch.GetTimestamp();
        try
        {
            if (work.IsGenuine is { } isGenuine && !isGenuine(work.Encoded))
            {
                throw new WrongPictureException();
            }

            // Waits may end up to a clock tick early. The deadline of the picture must have passed when its wait ends.
            var turn = new DecodingTurn(memory, Left(work) + ClockTick, Cancellation: batch.Cancellation);
            return PictureDecoder.Decode(work.Encoded.Span, limits, graph.Input.Width, graph.Input.Height, turn);
        }
        finally
        {
            progress.Decode = Stopwatch.GetElapsedTime(start);
        }
    }

    /// <summary>Writes a picture into its row of the input.</summary>
    public void Preprocess(Picture picture, Span<byte> row, ref PictureProgress progress)
    {
        long start = Stopwatch.GetTimestamp();
        progress.Geometry = Preprocessor.Write(picture, graph.Input, row);
        progress.Preprocess = Stopwatch.GetElapsedTime(start);
    }

    /// <summary>Reads the boxes.</summary>
    /// <param name="work">The picture.</param>
    /// <param name="outputs">The outputs of the run.</param>
    /// <param name="boxes">Reusable list, which is cleared first.</param>
    /// <param name="progress">The progress of the picture.</param>
    public PictureOutcome Read(
        in PictureWork work,
        IReadOnlyList<OutputTensor> outputs,
        List<DetectedObject> boxes,
        in PictureProgress progress)
    {
        long start = Stopwatch.GetTimestamp();
        var manifest = graph.Model.Manifest;
        boxes.Clear();
        _head.Read(
            outputs,
            progress.Geometry,
            new HeadSettings(work.Floor ?? manifest.ScoreFloor, work.Iou ?? manifest.Iou, manifest.MaxBoxes),
            boxes);
        RefuseInvalidOutput(outputs, boxes);
        return progress.Detected([.. boxes], Stopwatch.GetElapsedTime(start));
    }

    /// <summary>Refuses invalid outputs. Otherwise the outputs of a wrong manifest, or of an overflow, would be returned as boxes.</summary>
    private static void RefuseInvalidOutput(IReadOnlyList<OutputTensor> outputs, List<DetectedObject> boxes)
    {
        // The first box has the highest score. Sums of 16-bit numbers may exceed 1 slightly.
        if (boxes.Count > 0 && boxes[0].Score > 1.01f)
        {
            throw new ModelException(string.Create(
                CultureInfo.InvariantCulture, $"the graph returned the score {boxes[0].Score:0.##}, and scores go from 0 to 1; correct \"family\" or \"head\" (\"scores\") in its manifest, or export it with scores from 0 to 1."));
        }

        if (boxes.Count == 0 && outputs.Any(output => TensorPrimitives.IsNaNAny(output.Data.Span)))
        {
            throw new ModelException("the graph returned NaN instead of numbers; export it again, as float32 if it is float16.");
        }
    }
}
