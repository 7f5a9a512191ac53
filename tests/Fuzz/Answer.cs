using System.Globalization;
using System.Text;

namespace Detection.Fuzz;

/// <summary>The answer to a request.</summary>
/// <param name="Status">HTTP status; 0 when the connection ended without an answer.</param>
/// <param name="Headers">Headers; the last one of a name counts.</param>
/// <param name="Body">The body, without the framing.</param>
/// <param name="IsWhole">Whether the body came to its end.</param>
/// <param name="Fault">Why the answer is not complete.</param>
internal sealed record Answer(int Status, IReadOnlyDictionary<string, string> Headers, byte[] Body, bool IsWhole, string? Fault)
{
    private static readonly Dictionary<string, string> NoHeaders = [];

    /// <summary>The media type of the body, in lower case; empty for none.</summary>
    public string MediaType => Headers.TryGetValue("content-type", out var type) ? type.Split(';')[0].Trim().ToLowerInvariant() : "";

    /// <summary>No answer.</summary>
    public static Answer None(string fault) => new(0, NoHeaders, [], false, fault);

    /// <summary>Reads an answer from the bytes received so far.</summary>
    /// <param name="bytes">All bytes of the connection.</param>
    /// <param name="ended">Whether the other side has closed it.</param>
    /// <param name="isHead">Whether the request was a HEAD, whose answer has no body.</param>
    /// <returns><see langword="null"/> while more must come.</returns>
    public static Answer? Read(ReadOnlySpan<byte> bytes, bool ended, bool isHead)
    {
        while (true)
        {
            var end = bytes.IndexOf("\r\n\r\n"u8);
            if (end < 0)
            {
                return ended ? None(bytes.IsEmpty ? "closed without an answer" : "closed within the headers") : null;
            }

            var lines = Encoding.Latin1.GetString(bytes[..end]).Split("\r\n");
            if (lines[0].Split(' ') is not [var version, var code, ..] || !version.StartsWith("HTTP/1.", StringComparison.Ordinal)
                || !int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out var status))
            {
                return None($"not HTTP: {lines[0]}");
            }

            bytes = bytes[(end + 4)..];
            if (status is >= 100 and < 200 and not 101)
            {
                continue;
            }

            var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            foreach (var line in lines.Skip(1))
            {
                var colon = line.IndexOf(':', StringComparison.Ordinal);
                headers[line[..Math.Max(colon, 0)]] = line[(colon + 1)..].Trim();
            }

            return ReadBody(bytes, ended, new Answer(status, headers, [], true, null), isHead);
        }
    }

    private static Answer? ReadBody(ReadOnlySpan<byte> bytes, bool ended, Answer answer, bool isHead)
    {
        if (isHead || answer.Status is 101 or 204 or 304)
        {
            return answer;
        }

        if (answer.Headers.TryGetValue("transfer-encoding", out var coding) && coding == "chunked")
        {
            return ReadChunks(bytes, answer) ?? (ended ? answer with { IsWhole = false, Fault = "closed within the body" } : null);
        }

        if (answer.Headers.TryGetValue("content-length", out var text) && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var length))
        {
            return bytes.Length >= length ? answer with { Body = bytes[..length].ToArray() }
                : ended ? answer with { Body = bytes.ToArray(), IsWhole = false, Fault = "closed within the body" }
                : null;
        }

        return ended ? answer with { Body = bytes.ToArray() } : null;
    }

    private static Answer? ReadChunks(ReadOnlySpan<byte> bytes, Answer answer)
    {
        using var body = new MemoryStream();
        while (true)
        {
            var end = bytes.IndexOf("\r\n"u8);
            if (end < 0 || !int.TryParse(Encoding.Latin1.GetString(bytes[..end]), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var size) || bytes.Length < end + 2 + size + 2)
            {
                return null;
            }

            if (size == 0)
            {
                return answer with { Body = body.ToArray() };
            }

            body.Write(bytes.Slice(end + 2, size));
            bytes = bytes[(end + 2 + size + 2)..];
        }
    }
}
