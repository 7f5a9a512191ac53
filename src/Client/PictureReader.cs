using System.Buffers;
using Detection.Contracts.Pictures;
using Detection.Objects;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Detection.Client;

/// <summary>Checks the pictures that callers send, makes their keys, and reads stored pictures.</summary>
internal sealed class PictureReader(
    IOptions<DetectionClientOptions> options, ImageKeys keys, ClientConnections connections, ILogger<DetectionClient> logger)
{
    private readonly int _maxBytes = options.Value.MaxPictureBytes;

    /// <summary>The key of a picture.</summary>
    /// <exception cref="DetectionException">The picture is empty or too large.</exception>
    public string KeyOf(ReadOnlyMemory<byte> picture, string? caller)
    {
        if (picture.IsEmpty)
        {
            throw new DetectionException(FailureReason.NotAPicture, "The picture is empty (0 bytes). Send a JPEG, PNG, WebP, GIF or BMP.");
        }

        return picture.Length <= _maxBytes ? keys.Of(picture.Span, caller) : throw TooLarge();
    }

    /// <summary>Whether a caller may read the picture and the results of a key.</summary>
    public bool MayRead(string imageKey, string? caller) => keys.MayRead(imageKey, caller);

    /// <summary>Reads a stream to its end into a buffer of <see cref="PictureBuffers"/>.</summary>
    /// <exception cref="DetectionException">It is too large.</exception>
    public async Task<(byte[] Buffer, int Length)> ReadAsync(Stream picture, CancellationToken cancellationToken)
    {
        var buffer = PictureBuffers.Rent(picture.CanSeek ? (int)Math.Clamp(picture.Length - picture.Position, 1, _maxBytes + 1L) : 128 * 1024);
        var length = 0;
        int read;
        while ((read = await picture.ReadAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false)) > 0)
        {
            length += read;
            if (length > _maxBytes)
            {
                throw TooLarge();
            }

            if (length == buffer.Length)
            {
                buffer = PictureBuffers.Grow(buffer, length, 2 * length);
            }
        }

        return (buffer, length);
    }

    /// <summary>Reads a stored picture. When Redis returns the bytes of another one, the connection is closed and the picture is read once more.</summary>
    public async Task<IMemoryOwner<byte>?> ReadAsync(string imageKey, string? caller, CancellationToken cancellationToken)
    {
        for (var again = false; ; again = true)
        {
            var picture = await connections.Pictures.ReadAsync(imageKey, cancellationToken);
            if (picture is null || keys.Matches(imageKey, picture.Span, caller))
            {
                return picture;
            }

            picture.Dispose();
            logger.LogWrongPicture(imageKey);
            await connections.Pictures.ReconnectAsync();
            if (again)
            {
                return null;
            }
        }
    }

    private DetectionException TooLarge() => new(FailureReason.TooLarge, $"The picture has more than {_maxBytes} bytes.");
}
