using System.Text;
using Detection.Client;
using Detection.Frontend.Http.Drawing;
using Detection.Frontend.Http.Uploads;
using Microsoft.Extensions.Options;

namespace Detection.Frontend.Protocols.Legacy;

/// <summary>Creates the answer to an item of the Redis list: the annotated picture in base64.</summary>
internal sealed class LegacyPictures(IDetectionClient client, AnnotatedPictures pictures, UploadMemory memory, IOptions<DetectionClientOptions> options)
{
    private const string UrlProperty = "imageUrl";

    /// <summary>All users of the list count as one caller, because an item does not name its user.</summary>
    private const string Caller = "legacy-queue";

    private readonly UploadShare _share = memory.ShareOf(Caller);
    private readonly int _maxPicture = UploadReader.MaxPictureBytes(options.Value);

    /// <summary>Finds the objects of an item and draws them. The receiver disposes of the answer.</summary>
    /// <param name="item">The item.</param>
    /// <param name="left">Deadline of the detection.</param>
    /// <param name="giveUp">Cancels the detection.</param>
    public async Task<PooledBytes> AnnotateAsync(LegacyItem item, TimeSpan left, CancellationToken giveUp)
    {
        var detection = new DetectionOptions { Deadline = left, Caller = Caller };
        using var upload = ToUpload(item.ImageUrl!);
        var answer = await client.DetectAsync(upload, detection, giveUp);
        using var annotated = await pictures.DrawAsync(upload, answer, detection, _share, giveUp);
        var base64 = new PooledBytes(_share);
        try
        {
            Base64Picture.Encode(annotated.Span, base64);
            return base64;
        }
        catch
        {
            base64.Dispose();
            throw;
        }
    }

    private Upload ToUpload(string url)
    {
        if (url.StartsWith("http://", StringComparison.OrdinalIgnoreCase) || url.StartsWith("https://", StringComparison.OrdinalIgnoreCase))
        {
            return new Upload(UrlParameter.Parse(UrlProperty, url));
        }

        var picture = new PooledBytes(_share);
        try
        {
            picture.Advance(Encoding.UTF8.GetBytes(url, picture.GetSpan(Encoding.UTF8.GetByteCount(url))));
            Base64Picture.Decode(picture, 0, picture.Memory.Length, UrlProperty, _maxPicture);
            return new Upload(picture);
        }
        catch
        {
            picture.Dispose();
            throw;
        }
    }
}
