using Detection.Inference.Devices;
using Detection.Inference.Inspection;
using Detection.Inference.Manifest;
using Detection.Inference.Pictures;
using Detection.Tool.Models;

namespace Detection.Tool.Inspect;

/// <summary>Runs a model on a known picture and on noise, to find out whether its scores are scores.</summary>
internal static class ScoreTrial
{
    /// <summary>What is wrong with the model, one sentence; <see langword="null"/> when the pictures show nothing.</summary>
    public static async Task<string?> RunAsync(ModelSource source, CancellationToken cancellationToken)
    {
        try
        {
            await using var model = await LoadedModel.LoadAsync(source, "cpu", 1, static _ => { }, cancellationToken);
            foreach (var picture in new[] { KnownPicture.Bytes, NoisePicture.Bytes })
            {
                if ((await DetectAsync(model, picture, null, null, cancellationToken)).Error is { } error)
                {
                    return $"it fails on a known picture or on noise: {error.Message}";
                }
            }

            var sign = !ScoreSigns.CanTell(source.Manifest.Family) ? null : await ScoreSigns.FindAsync(async picture =>
                await DetectAsync(model, picture, ScoreSigns.Floor, ScoreSigns.Iou, cancellationToken) is { Error: null } outcome ? outcome.Boxes : null);
            return sign is null ? null : ScoreSigns.Describe("it", sign);
        }
        catch (ModelException e)
        {
            return $"it cannot be loaded: {e.Message}";
        }
    }

    private static async Task<PictureOutcome> DetectAsync(
        LoadedModel model, ReadOnlyMemory<byte> picture, float? floor, float? iou, CancellationToken cancellationToken)
    {
        PictureOutcome? outcome = null;
        await model.Session.DetectAsync([new PictureWork(picture, iou, DateTimeOffset.MaxValue, floor)], (_, one) => outcome = one, cancellationToken);
        return outcome!;
    }
}
