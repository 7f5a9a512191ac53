using Detection.Inference.Devices;
using Detection.Inference.Graphs;
using Detection.Inference.Inspection;
using Detection.Inference.Manifest;
using Detection.Inference.Pictures;

namespace Detection.Grains.Health;

/// <summary>The outcome of the test picture.</summary>
internal enum ProbeVerdict
{
    /// <summary>It has the same boxes as before.</summary>
    Sound,

    /// <summary>The device failed, or did not answer.</summary>
    Failed,

    /// <summary>It has other boxes, or none: the device returns wrong outputs without an error.</summary>
    Blind,

    /// <summary>The model finds nothing in the test picture, or refuses it, so that it does not show the health of the device.</summary>
    Unknown,

    /// <summary>
    /// The test picture did not reach the device: other pictures were decoded all the time, or the process had no memory. It is tried again.
    /// </summary>
    NotTried,
}

/// <summary>The outcome of the test picture on a device.</summary>
/// <param name="Verdict">The outcome.</param>
/// <param name="Reason">The fault, in one sentence.</param>
/// <param name="Error">The error, when the device failed with one.</param>
internal sealed record ProbeResult(ProbeVerdict Verdict, string? Reason = null, Exception? Error = null)
{
    /// <summary>Why the model cannot find anything in any picture, the middle of a sentence; <see langword="null"/> for a model that can.</summary>
    public string? ScoreSign { get; init; }
}

/// <summary>
/// Runs the test picture through a session, like any other picture, from its bytes to its boxes, and compares these with the boxes that the model
/// returned when it was loaded and verified. The result is not counted, cached or published.
/// </summary>
/// <param name="scoreFloor">The model's own score floor.</param>
/// <param name="timeout">Longest wait for the picture to reach the device, and then for its run.</param>
/// <param name="onDevice">The model's pictures on the device.</param>
/// <param name="time">Clock for the wait.</param>
internal sealed class HealthProbe(float scoreFloor, TimeSpan timeout, PicturesOnDevice onDevice, TimeProvider time)
{
    /// <summary>Lower floors for models that find nothing in the test picture: their best guesses are compared.</summary>
    private static readonly float[] LowFloors = [0.01f, 0.001f, 0.0001f];

    private ReferenceObjects? _known;
    private bool _isInconclusive;

    /// <summary>The model's pictures on the device, this one included.</summary>
    public PicturesOnDevice OnDevice => onDevice;

    /// <summary>The model's family, so that scores that are all the same are noticed; <see langword="null"/> to leave them alone.</summary>
    public string? Family { get; init; }

    /// <summary>Whether the test picture can show a difference between a sound device and one with wrong outputs.</summary>
    public bool IsConclusive => _known is not null;

    /// <summary>
    /// Runs the test picture on a session. The first answer is the reference: a GPU's outputs were compared with the CPU's when the model was loaded.
    /// </summary>
    public async Task<ProbeResult> RunAsync(IModelSession session)
    {
        if (_isInconclusive)
        {
            return new ProbeResult(ProbeVerdict.Unknown);
        }

        try
        {
            return _known is null ? await LearnAsync(session) : Judge(_known, await DetectAsync(session, _known.Floor));
        }
        catch (Exception e) when (e is NotTriedException or OutOfMemoryException)
        {
            return new ProbeResult(ProbeVerdict.NotTried, e.Message);
        }
        catch (TimeoutException)
        {
            return new ProbeResult(ProbeVerdict.Failed, $"The test picture got no answer within {timeout.TotalSeconds:0} s.");
        }
        catch (Exception e)
        {
            return new ProbeResult(ProbeVerdict.Failed, e.Message, e);
        }
    }

    private async Task<ProbeResult> LearnAsync(IModelSession session)
    {
        foreach (var floor in LowFloors.Where(floor => floor < scoreFloor).Prepend(scoreFloor))
        {
            var outcome = await DetectAsync(session, floor);
            if (outcome.Error is (PictureException or ModelException) and not RunTimeoutException)
            {
                _isInconclusive = true;
                return new ProbeResult(ProbeVerdict.Unknown, outcome.Error.Message, outcome.Error);
            }

            if (outcome.Error is { } error)
            {
                return new ProbeResult(ProbeVerdict.Failed, error.Message, error);
            }

            if (ReferenceObjects.From(outcome, floor) is { } known)
            {
                var sign = await FindSignAsync(session, outcome);
                _known = known;
                return new ProbeResult(ProbeVerdict.Sound) { ScoreSign = sign };
            }
        }

        var nothing = await FindSignAsync(session, null);
        _isInconclusive = true;
        return new ProbeResult(ProbeVerdict.Unknown) { ScoreSign = nothing };
    }

    /// <summary>Looks at all scores of the test picture and of noise, where what the model found gives reason for it.</summary>
    private async Task<string?> FindSignAsync(IModelSession session, PictureOutcome? found)
    {
        if (Family is null || !ScoreSigns.CanTell(Family) || (found is not null && !ScoreSigns.AreSuspicious(found.Boxes)))
        {
            return null;
        }

        return await ScoreSigns.FindAsync(async picture =>
            await DetectAsync(session, picture, ScoreSigns.Floor, ScoreSigns.Iou) is { Error: null } outcome ? outcome.Boxes : null);
    }

    private static ProbeResult Judge(ReferenceObjects known, PictureOutcome outcome) =>
        outcome.Error is { } error ? new ProbeResult(ProbeVerdict.Failed, error.Message, error)
        : known.Difference(outcome) is { } difference ? new ProbeResult(ProbeVerdict.Blind, difference)
        : new ProbeResult(ProbeVerdict.Sound);

    /// <exception cref="NotTriedException">It did not reach the device.</exception>
    /// <exception cref="OutOfMemoryException">The process has no memory.</exception>
    /// <exception cref="TimeoutException">Its run timed out.</exception>
    private Task<PictureOutcome> DetectAsync(IModelSession session, float floor) => DetectAsync(session, KnownPicture.Bytes, floor, null);

    private async Task<PictureOutcome> DetectAsync(IModelSession session, ReadOnlyMemory<byte> picture, float floor, float? iou)
    {
        PictureOutcome? outcome = null;
        var decoded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var giveUp = new CancellationTokenSource();
        var run = RunAsync();
        try
        {
            await Task.WhenAny(run, decoded.Task).WaitAsync(timeout, time);
        }
        catch (TimeoutException)
        {
            await giveUp.CancelAsync();
            throw new NotTriedException($"The test picture did not get to the device within {timeout.TotalSeconds:0} s.");
        }

        await run.WaitAsync(timeout, time);
        return outcome switch
        {
            null => throw new InvalidOperationException("The run ended without an outcome of its picture."),
            { Error: OutOfMemoryException error } => throw error,
            _ => outcome,
        };

        async Task RunAsync()
        {
            using var visit = onDevice.Expect();
            await session.DetectAsync([new PictureWork(picture, iou, DateTimeOffset.MaxValue, floor, Decoded: Begin)], (_, one) => outcome = one, giveUp.Token);

            void Begin()
            {
                visit.Begin();
                decoded.TrySetResult();
            }
        }
    }

    /// <summary>The test picture did not reach the device.</summary>
    private sealed class NotTriedException(string message) : Exception(message);
}
