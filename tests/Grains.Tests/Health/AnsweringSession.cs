using Detection.Inference.Devices;
using Detection.Inference.Heads;
using Detection.Objects;

namespace Detection.Grains.Tests.Health;

/// <summary>A session with the outcomes that the test defines.</summary>
internal sealed class AnsweringSession(Func<PictureWork, PictureOutcome> answer) : IModelSession
{
    /// <summary>A session that fails every picture.</summary>
    public static AnsweringSession Failing(Exception error) => new(_ => new PictureOutcome(OutcomeKind.Failed, 0, 0, [], error, default, default, default, default));

    /// <summary>A session that finds these boxes in every picture.</summary>
    public static AnsweringSession Finding(params DetectedObject[] boxes) => new(work => new PictureOutcome(
        OutcomeKind.Detected, 416, 312, [.. boxes.Where(box => !(box.Score < work.Floor))], null, default, default, default, default));

    public int Concurrency => 1;

    public async Task DetectAsync(IReadOnlyList<PictureWork> batch, Action<int, PictureOutcome> completed, CancellationToken cancellationToken)
    {
        await Task.Yield();
        completed(0, answer(batch[0]));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
