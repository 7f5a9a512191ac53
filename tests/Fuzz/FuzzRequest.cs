using System.Text;

namespace Detection.Fuzz;

/// <summary>What the sender does after the last byte.</summary>
internal enum Ending
{
    /// <summary>It waits for the answer.</summary>
    Waits,

    /// <summary>It closes its side (FIN), and waits for the answer.</summary>
    HalfCloses,

    /// <summary>It disconnects (RST).</summary>
    Leaves,
}

/// <summary>One request, byte for byte.</summary>
/// <param name="Kind">Description of the fault.</param>
/// <param name="Bytes">The bytes to send.</param>
internal sealed record FuzzRequest(string Kind, byte[] Bytes)
{
    /// <summary>What the sender does at the end.</summary>
    public Ending Ending { get; init; } = Ending.Waits;

    /// <summary>Whether it may not be valid HTTP, so that the HTTP server may answer it, or close the connection without an answer.</summary>
    public bool MayBreakHttp { get; init; }

    /// <summary>The method, if there is one.</summary>
    public string Method => FirstLine().Split(' ')[0];

    /// <summary>The path without its query, if there is one.</summary>
    public string Path => FirstLine().Split(' ') is [_, var target, ..] ? target.Split('?')[0] : "";

    private string FirstLine()
    {
        var end = Bytes.AsSpan().IndexOfAny((byte)'\r', (byte)'\n');
        return Encoding.Latin1.GetString(Bytes.AsSpan(0, end < 0 ? Bytes.Length : end));
    }
}
