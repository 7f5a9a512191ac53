using Detection.Client;
using Detection.Contracts.Answers;
using Detection.Frontend.Api.Detections;
using Detection.Frontend.Http.Uploads;

namespace Detection.Frontend.Api.Batches;

/// <summary>Processes the pictures of a batch.</summary>
internal sealed record BatchWork(IDetectionClient Client, LabelRules Labels, BatchQuery Query, string? Caller, TimeProvider Time, ILogger Logger)
{
    /// <summary>Finds the objects in a picture and disposes of the picture.</summary>
    public async Task<DetectionAnswer> AnswerAsync(BatchPicture picture, CancellationToken cancellationToken)
    {
        if (picture.Fault is { } fault)
        {
            throw fault;
        }

        using var upload = picture.Upload!;
        var options = Query.With(upload.Fields).ToOptions() with { Caller = Caller };
        if (upload.Fields.Count > 0)
        {
            await Labels.RequireKnownAsync(options, cancellationToken);
        }

        return await Client.DetectAsync(upload, options, cancellationToken);
    }
}
