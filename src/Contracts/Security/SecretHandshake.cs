using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;

namespace Detection.Contracts.Security;

/// <summary>
/// Two processes prove to each other that they have the same secret, before anything else is read from the connection. Each gives 32
/// random bytes; a proof is an HMAC-SHA256, keyed with the secret, of the side's name and both sides' bytes, so that it holds for this
/// connection and this direction only.
/// <code>
/// connecting side                accepting side
/// "DETCLSEC", random bytes  ->
///                           &lt;-   random bytes
/// proof                     ->
///                           &lt;-   proof
/// </code>
/// </summary>
internal static class SecretHandshake
{
    private const int NonceLength = 32;

    /// <summary>
    /// First bytes of the connection. Read as the length of an Orleans frame they are far above the maximum, so a silo without security closes the
    /// connection.
    /// </summary>
    private static ReadOnlySpan<byte> Greeting => "DETCLSEC"u8;

    private static ReadOnlySpan<byte> Connecting => "connecting"u8;

    private static ReadOnlySpan<byte> Accepting => "accepting"u8;

    /// <summary>
    /// The secrets of a setting. Without one, the handshake uses an empty secret, so that each side learns whether the other has none either.
    /// </summary>
    public static byte[][] Secrets(string setting) => [.. setting.Split(' ').Select(Encoding.UTF8.GetBytes)];

    /// <summary>The side that connects; it uses the first secret.</summary>
    /// <exception cref="InvalidDataException">The other side does not have the secret.</exception>
    /// <exception cref="EndOfStreamException">The other side closed the connection.</exception>
    public static async Task ConnectAsync(IDuplexPipe transport, byte[][] secrets, CancellationToken cancellationToken)
    {
        var own = RandomNumberGenerator.GetBytes(NonceLength);
        await transport.Output.WriteAsync((byte[])[.. Greeting, .. own], cancellationToken);
        var other = await ReadAsync(transport.Input, NonceLength, cancellationToken);
        await transport.Output.WriteAsync(Prove(secrets[0], Connecting, own, other), cancellationToken);
        var proof = await ReadAsync(transport.Input, HMACSHA256.HashSizeInBytes, cancellationToken);
        if (!CryptographicOperations.FixedTimeEquals(proof, Prove(secrets[0], Accepting, own, other)))
        {
            throw new InvalidDataException("the other side does not have the cluster's secret");
        }
    }

    /// <summary>The accepting side. It accepts any of the secrets, and sends its own proof only after the other side has proved to have one.</summary>
    /// <exception cref="InvalidDataException">The other side does not have a secret, or does not speak this protocol.</exception>
    /// <exception cref="EndOfStreamException">The other side closed the connection.</exception>
    public static async Task AcceptAsync(IDuplexPipe transport, byte[][] secrets, CancellationToken cancellationToken)
    {
        var greeting = await ReadAsync(transport.Input, Greeting.Length, cancellationToken);
        if (!Greeting.SequenceEqual(greeting))
        {
            throw new InvalidDataException("the other side did not start the secret handshake; it has no secret configured, or is not part of a cluster");
        }

        var other = await ReadAsync(transport.Input, NonceLength, cancellationToken);
        var own = RandomNumberGenerator.GetBytes(NonceLength);
        await transport.Output.WriteAsync(own, cancellationToken);
        var proof = await ReadAsync(transport.Input, HMACSHA256.HashSizeInBytes, cancellationToken);
        var secret = Array.Find(secrets, secret => CryptographicOperations.FixedTimeEquals(proof, Prove(secret, Connecting, other, own)))
            ?? throw new InvalidDataException("the other side has another secret");
        await transport.Output.WriteAsync(Prove(secret, Accepting, other, own), cancellationToken);
    }

    private static byte[] Prove(byte[] secret, ReadOnlySpan<byte> side, byte[] connecting, byte[] accepting) =>
        HMACSHA256.HashData(secret, (byte[])[.. side, .. connecting, .. accepting]);

    private static async Task<byte[]> ReadAsync(PipeReader input, int length, CancellationToken cancellationToken)
    {
        var read = await input.ReadAtLeastAsync(length, cancellationToken);
        if (read.Buffer.Length < length)
        {
            throw new EndOfStreamException("the other side closed the connection during the handshake; its log says why");
        }

        var bytes = read.Buffer.Slice(0, length).ToArray();
        input.AdvanceTo(read.Buffer.GetPosition(length));
        return bytes;
    }
}
