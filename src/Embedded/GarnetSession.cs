using Garnet.networking;

namespace Detection.Embedded;

/// <summary>
/// One connection's session with the embedded server, which gathers a command until it is whole, however long it gets. Here the connection
/// ends when a command gets longer than any that this product sends.
/// </summary>
internal sealed unsafe class GarnetSession(IMessageConsumer inner) : IMessageConsumer
{
    /// <summary>The longest are answers to the replaced system's front end: base64 of a picture of 50 megapixels.</summary>
    public const int LongestCommand = 64 * 1024 * 1024;

    /// <summary>The server's own session.</summary>
    public IMessageConsumer Inner => inner;

    /// <inheritdoc/>
    public int TryConsumeMessages(byte* reqBuffer, int bytesRead)
    {
        var consumed = inner.TryConsumeMessages(reqBuffer, bytesRead);
        return bytesRead - consumed <= LongestCommand
            ? consumed
            : throw new InvalidDataException("A command is too long; its connection is ended.");
    }

    /// <inheritdoc/>
    public void Dispose() => inner.Dispose();
}
