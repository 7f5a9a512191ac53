using Garnet.networking;

namespace Detection.Embedded;

/// <summary>
/// The session of one connection with the embedded server. Garnet buffers a command until it is complete, whatever its length. This class ends the
/// connection when a command is longer than any that this product sends.
/// </summary>
internal sealed unsafe class GarnetSession(IMessageConsumer inner) : IMessageConsumer
{
    /// <summary>The longest commands are answers of the legacy queue's protocol: base64 of a picture of 50 megapixels.</summary>
    public const int LongestCommand = 64 * 1024 * 1024;

    /// <summary>Garnet's session.</summary>
    public IMessageConsumer Inner => inner;

    /// <inheritdoc/>
    public int TryConsumeMessages(byte* reqBuffer, int bytesRead)
    {
        var consumed = inner.TryConsumeMessages(reqBuffer, bytesRead);
        return bytesRead - consumed <= LongestCommand
            ? consumed
            : throw new InvalidDataException("A command is too long; its connection is closed.");
    }

    /// <inheritdoc/>
    public void Dispose() => inner.Dispose();
}
