using Detection.Client;
using Detection.Contracts.Answers;

namespace Detection.Frontend.Http.Uploads;

internal static class UploadDetections
{
    public static Task<DetectionAnswer> DetectAsync(
        this IDetectionClient client, Upload upload, DetectionOptions options, CancellationToken cancellationToken) =>
        upload.UseAsync(url => client.DetectAsync(url, options, cancellationToken), picture => client.DetectAsync(picture, options, cancellationToken));

    public static Task<DetectionTicket> SubmitAsync(
        this IDetectionClient client, Upload upload, DetectionOptions options, Uri? webhook, CancellationToken cancellationToken) =>
        upload.UseAsync(
            url => client.SubmitAsync(url, options, webhook, cancellationToken), picture => client.SubmitAsync(picture, options, webhook, cancellationToken));
}
